import { type Check, isAbsentOr, isCount, isId, isObject } from '@slotstream/protocol'

/** Chunks of a snapshot, at most: half a gigabyte. */
const MAX_CHUNKS = 1_024

/** Manifest of the current snapshot. Only the chunks that it names count, and only if they match the hash. */
export interface Manifest {
  version: 1
  /** Name of the snapshot's chunks. */
  id: string
  /** Number of chunks. */
  chunks: number
  /** SHA-256 of all chunks concatenated, in hexadecimal. */
  sha256: string
  /** When it was written, in milliseconds since the epoch. */
  at: number
  /** For each stream: sequence of the last message that the snapshot includes. */
  positions: Record<string, number>
  /**
   * Name of the rebuild that the snapshot descends from: a snapshot of another rebuild does not replace it. Absent:
   * none
   */
  origin?: string
}

/** Parses a manifest. One of another version is rejected. */
export function parseManifest(raw: unknown): Check<Manifest> {
  if (!isObject(raw)) return misfit('the manifest is not a JSON object')
  if (raw.version !== 1) return misfit(`the manifest has version ${JSON.stringify(raw.version)}, not 1`)
  const { id, chunks, sha256, at, positions, origin } = raw
  if (!isId(id) || !/^[\w-]+$/.test(id)) return misfit('id is no name of a snapshot')
  if (!isCount(chunks) || chunks < 1 || chunks > MAX_CHUNKS) return misfit(`chunks is not from 1 to ${MAX_CHUNKS}`)
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return misfit('sha256 is no hash')
  if (!isCount(at)) return misfit('at is not a time')
  if (!isObject(positions) || !Object.values(positions).every(isCount)) return misfit('positions are no sequences')
  if (!isAbsentOr(origin, isId)) return misfit('origin is no name of a rebuild')
  return { ok: true, value: raw as unknown as Manifest }
}

/** Tells whether a snapshot includes at least the messages of another one, in every stream. */
export function isAtLeast(positions: Manifest['positions'], others: Manifest['positions']): boolean {
  return Object.entries(others).every(([stream, seq]) => (positions[stream] ?? 0) >= seq)
}

function misfit(reason: string): Check<never> {
  return { ok: false, reason }
}
