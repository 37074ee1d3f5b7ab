import { type Check, isAbsentOr, isCount, isId, isObject } from '@slotstream/protocol'

/** Chunks of a snapshot, at most: half a gigabyte. */
const MAX_CHUNKS = 1_024

/** Names a snapshot: what counts is what it names, and whole. */
export interface Manifest {
  version: 1
  /** Name of the snapshot's chunks. */
  id: string
  chunks: number
  /** SHA-256 of all chunks in a row, in hexadecimal. */
  sha256: string
  /** When it was written, in milliseconds since the epoch. */
  at: number
  /** Of each stream, the sequence of the last message that is in it. */
  positions: Record<string, number>
  /**
   * Name of the rebuild that it goes back to: what goes back to another one is not put in its place. Absent: to none
   */
  origin?: string
}

/** Parses a manifest. One of a later version is not an error of its own: it has another shape, and is not read. */
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

/** Whether a snapshot is from later than another, or as late, in every stream. */
export function isAtLeast(positions: Manifest['positions'], others: Manifest['positions']): boolean {
  return Object.entries(others).every(([stream, seq]) => (positions[stream] ?? 0) >= seq)
}

function misfit(reason: string): Check<never> {
  return { ok: false, reason }
}
