import type { KV } from '@nats-io/kv'
import { type Check, isCount, type PastStreams, STREAMS, type StreamKind } from '@slotstream/protocol'
import { usableValue } from '../nats/buckets/skipped-entries.js'
import { watchBucket } from '../nats/buckets/watch-bucket.js'
import type { Nats } from '../nats/connection/nats.js'
import type { Log } from '../process/log.js'
import { ConfigurationError } from '../settings/read.js'
import type { SharedSettings } from './environment.js'
import { readMeta } from './meta-copy.js'

/** Key in the bucket `meta` of an installation's layout. */
export const LAYOUT_KEY = 'installation'

export const KINDS = Object.keys(STREAMS) as StreamKind[]

/** Which partition a visitor is in, which never changes, and which stream stores it. */
export interface Layout {
  partitions: number
  /** How many streams of each kind take messages. */
  streams: Record<StreamKind, number>
  /** Those that took them before, oldest first. */
  past: Record<StreamKind, PastStreams[]>
}

/** Reads the layout, and the revision to change it by; undefined before there is an installation. */
export async function readLayout(meta: KV, log?: Log): Promise<{ layout: Layout; revision: number } | undefined> {
  const { value, revision } = await readMeta(meta, LAYOUT_KEY, parseLayout, log)
  return value && { layout: value, revision }
}

/**
 * Returns the layout, made of the settings by the first process. Other partitions would tear visitors' histories apart,
 * so their number is fixed; that of streams is changed by a command (`npm run streams`).
 *
 * @throws ConfigurationError when a new installation is to have more streams than partitions
 */
export async function layoutOf(meta: KV, { partitions, streams }: SharedSettings, log?: Log): Promise<Layout> {
  const stored = await readLayout(meta, log)
  if (stored) return stored.layout
  const layout = withDefaults({ partitions, streams: Object.fromEntries(Object.entries(streams).filter(([, n]) => n)) })
  for (const kind of KINDS)
    if (layout.streams[kind] > partitions)
      throw new ConfigurationError(
        `${variableOf(kind)} is ${layout.streams[kind]}: there are ${partitions} partitions to share`,
      )
  try {
    await meta.create(LAYOUT_KEY, JSON.stringify({ partitions, streams: layout.streams }))
    return layout
  } catch {
    const winner = await readLayout(meta)
    if (!winner) throw new Error('the number of partitions could be neither read nor written')
    return winner.layout
  }
}

/**
 * Puts another layout in the place of the one that has `revision`. Throws when another process did since it was read.
 */
export async function changeLayout(meta: KV, layout: Layout, revision: number): Promise<void> {
  await meta.put(LAYOUT_KEY, JSON.stringify(layout), { previousSeq: revision })
}

/**
 * Lists settings of streams that differ from the layout, a line for each kind: they apply to a new installation only.
 */
export function otherThanSet({ streams }: Layout, { streams: set }: Pick<SharedSettings, 'streams'>): string[] {
  return KINDS.filter(kind => set[kind] !== undefined && set[kind] !== streams[kind]).map(
    kind =>
      `${variableOf(kind)} is ${set[kind]}, and this installation has ${streams[kind]}: "npm run streams -- ${kind} ${set[kind]}" changes it, or leave the variable out`,
  )
}

/** Calls `changed` once, when the streams are other ones than `known` says, unless it is stopped before. */
export async function watchLayout(
  nats: Nats,
  meta: KV,
  current: Pick<Layout, 'streams' | 'past'>,
  changed: () => void,
  log: Log,
): Promise<{ stop(): void }> {
  const textOf = ({ streams, past }: typeof current) => JSON.stringify(KINDS.map(kind => [streams[kind], past[kind]]))
  const text = textOf(current)
  let hasNotified = false
  return watchBucket(
    nats,
    meta,
    entry => {
      if (hasNotified || entry.key !== LAYOUT_KEY || entry.operation !== 'PUT') return
      const layout = usableValue('meta', entry, parseLayout, log)
      if (!layout || textOf(layout) === text) return
      hasNotified = true
      changed()
    },
    log,
  )
}

/** Parses the layout as the bucket has it. */
export function parseLayout(raw: unknown): Check<Layout> {
  const { partitions, streams = {}, past = {} } = (raw ?? {}) as Partial<Record<keyof Layout, unknown>>
  if (!isFrom1(partitions)) return { ok: false, reason: `partitions is not a whole number from 1 to ${MOST}` }
  if (!isByKind(streams, isFrom1)) return { ok: false, reason: 'streams are not numbers from 1, by kind' }
  if (!isByKind(past, isPast)) return { ok: false, reason: 'past is not a list of streams, by kind' }
  return { ok: true, value: withDefaults(raw as Parameters<typeof withDefaults>[0]) }
}

/** Most partitions, and streams of a kind, that there can be. */
const MOST = 1024

/** Kinds that this version doesn't know are a later one's. */
function isByKind(raw: unknown, isFit: (value: unknown) => boolean): boolean {
  if (typeof raw !== 'object' || raw === null) return false
  return Object.values(raw).every(isFit)
}

function isPast(raw: unknown): boolean {
  return Array.isArray(raw) && raw.every(each => isFrom1(each?.count) && isCount(each?.end))
}

function isFrom1(value: unknown): boolean {
  return isCount(value) && value >= 1 && value <= MOST
}

/** Installations older than the setting, or than a kind, have one stream of it. */
function withDefaults(stored: {
  partitions: number
  streams?: Partial<Layout['streams']>
  past?: Partial<Layout['past']>
}) {
  return {
    partitions: stored.partitions,
    streams: { events: 1, decisions: 1, signals: 1, rejected: 1, deliveries: 1, learning: 1, ...stored.streams },
    past: { events: [], decisions: [], signals: [], rejected: [], deliveries: [], learning: [], ...stored.past },
  } satisfies Layout
}

function variableOf(kind: StreamKind): string {
  return `${STREAMS[kind].name}_STREAMS`
}
