import type { Features } from '@slotstream/core'
import {
  BUCKETS,
  bucketStream,
  POSITIONS_PER_STREAM,
  profilesBucket,
  STREAMS,
  type StreamPart,
  visitorKeySql,
} from '@slotstream/protocol'
import { type Installation, KINDS } from '@slotstream/runtime'
import { catalogRows } from '../rows/buckets/catalog.js'
import { experimentRows } from '../rows/buckets/experiments.js'
import { profileRows } from '../rows/buckets/profiles.js'
import { decisionRows } from '../rows/decisions.js'
import { deliveryRows } from '../rows/deliveries.js'
import { eventRows } from '../rows/events.js'
import { isProfileRowForgotten, isRejectedRowForgotten, isRowForgotten, type RowForgotten } from '../rows/forgotten.js'
import { identityDecisionRows } from '../rows/identity-decisions.js'
import { learningRows } from '../rows/learning.js'
import { FOUND_BY_REPLAYS, rejectedRows } from '../rows/rejected.js'
import type { Row, SourceMessage } from '../rows/row.js'
import { signalRows } from '../rows/signals.js'

/** The loading of a stream into a table. */
export interface StreamSpec {
  stream: string
  table: string
  /** Rows of one message, with `seq` as their position. Throws when the message is not what the stream should hold. */
  rows(message: SourceMessage, seq: number): Row[]
  /**
   * Another table, for what messages say that yield no rows. They must be few: each block of them looks for its rows.
   */
  beside?: { table: string; rows(message: SourceMessage, seq: number): Row[] }
  /**
   * SQL expressions of a row's key, and the condition for rows that have one; absent where rows are not deduplicated.
   * Never SQL of a client. Without `sender` its ids are made by servers.
   */
  key?: { time: string; id: string; visitor: string; sender?: string; where?: string }
  /** Positions in the table that come from this stream; absent: all of them. */
  positions?: { first: number; last: number }
  /**
   * True if it took over from other streams: a message may be in one of those already, and in its rows in the same
   * table.
   */
  tookOver?: boolean
  /** The table itself makes one of two equal rows, so writing one again is harmless. */
  replaces: boolean
  /** Tells whether a row is from before the deletion of its person. Absent: none names a person */
  isForgotten?: RowForgotten
  /**
   * Minimum time that a block waits for more rows, in milliseconds, whatever the settings say. Default: that of the
   * settings
   */
  waitsMs?: number
}

/**
 * Time that a block of profiles waits for more, in milliseconds. They are rarely queried at once, and ClickHouse takes
 * half the time for a block every two seconds that it takes for six small ones.
 */
const PROFILES_FLUSH_MS = 2_000

export const SPECS = {
  events: {
    stream: STREAMS.events.name,
    table: 'events',
    rows: eventRows,
    beside: { table: 'identity_decisions', rows: identityDecisionRows },
    key: { time: 'original_timestamp', id: 'message_id', visitor: visitorKeySql(), sender: 'sender' },
    replaces: false,
    isForgotten: isRowForgotten,
  },
  decisions: {
    stream: STREAMS.decisions.name,
    table: 'decisions',
    rows: decisionRows,
    key: { time: 'timestamp', id: 'decision_id', visitor: "''" },
    replaces: false,
    isForgotten: isRowForgotten,
  },
  signals: {
    stream: STREAMS.signals.name,
    table: 'detected_signals',
    rows: signalRows,
    key: { time: 'original_timestamp', id: 'signal_id', visitor: "''" },
    replaces: false,
    isForgotten: isRowForgotten,
  },
  deliveries: {
    stream: STREAMS.deliveries.name,
    table: 'webhook_deliveries',
    rows: deliveryRows,
    key: { time: 'attempted_at', id: 'attempt_id', visitor: "''" },
    replaces: false,
    isForgotten: isRowForgotten,
  },
  learning: {
    stream: STREAMS.learning.name,
    table: 'learning_outcomes',
    rows: learningRows,
    key: { time: 'decided_at', id: 'record_id', visitor: "''" },
    replaces: false,
    isForgotten: isRowForgotten,
  },
  rejected: {
    stream: STREAMS.rejected.name,
    table: 'rejected_events',
    rows: rejectedRows,
    // What a client sends twice is rejected twice; what a replay finds once more is not.
    key: {
      time: 'received_at',
      id: 'lower(hex(SHA256(payload)))',
      visitor: "''",
      where: `code = '${FOUND_BY_REPLAYS}'`,
    },
    replaces: false,
    isForgotten: isRejectedRowForgotten,
  },
  profiles: {
    stream: bucketStream(BUCKETS.profiles),
    table: 'profile_versions',
    rows: profileRows,
    replaces: true,
    isForgotten: isProfileRowForgotten,
    waitsMs: PROFILES_FLUSH_MS,
  },
  catalog: {
    stream: bucketStream(BUCKETS.catalog),
    table: 'catalog_changes',
    rows: catalogRows,
    replaces: true,
  },
  experiments: {
    stream: bucketStream(BUCKETS.definitions),
    table: 'experiment_changes',
    rows: experimentRows,
    replaces: true,
  },
} satisfies Record<string, StreamSpec>

/**
 * Returns the specs of all loaders, by name: each stream of each kind, the catalog, the experiments, and the profiles
 * of a generation. Also streams that no longer take messages: a table that is restored from a backup may lack some of
 * what they have.
 *
 * @param featuresOf see `profilesSpec`
 */
export function specsOf(
  { streams, past, generation }: Pick<Installation, 'streams' | 'past' | 'generation'>,
  featuresOf?: FeaturesOf,
): Map<string, StreamSpec> {
  const specs = new Map<string, StreamSpec>()
  for (const kind of KINDS)
    for (const part of [...past[kind].filter(({ gone }) => !gone), ...streams[kind]])
      specs.set(part.base === 0 ? kind : `${kind}_${part.base / POSITIONS_PER_STREAM}`, partSpec(SPECS[kind], part))
  specs.set('catalog', SPECS.catalog)
  specs.set('experiments', SPECS.experiments)
  return specs.set('profiles', profilesSpec(generation, featuresOf))
}

/** Returns a kind's spec for one of its streams. */
export function partSpec(spec: StreamSpec, { name, base, start }: StreamPart): StreamSpec {
  const positions = { first: base + 1, last: base + POSITIONS_PER_STREAM - 1 }
  return { ...spec, stream: name, positions, tookOver: start > 1 }
}

/** Returns the features of a site. */
export type FeaturesOf = (siteId: string) => Features

/**
 * Returns the spec for the profiles of a generation.
 *
 * @param featuresOf whose values the rows have. Default: those that every site has
 */
export function profilesSpec(generation: number, featuresOf?: FeaturesOf): StreamSpec {
  const rows: StreamSpec['rows'] = (message, seq) => profileRows(message, seq, featuresOf)
  return { ...SPECS.profiles, rows, stream: bucketStream(profilesBucket(generation)) }
}
