import { BUCKETS, profilesBucket, STREAMS } from '@slotstream/protocol'
import { decisionRows } from './rows/decisions.js'
import { eventRows } from './rows/events.js'
import { profileRows } from './rows/profiles.js'
import { rejectedRows } from './rows/rejected.js'
import type { Row, SourceMessage } from './rows/row.js'

/** Which stream becomes which table, and how. */
export interface StreamSpec {
  stream: string
  table: string
  /** Rows of one message, with `seq` as their position. Throws when the message is not what the stream should hold. */
  rows(message: SourceMessage, seq: number): Row[]
  /** How the table names a row's key; absent where rows are not deduplicated. SQL of ours, never of a client. */
  key?: { time: string; id: string; visitor: string }
  /** The table itself makes one of two equal rows, so writing one again is harmless. */
  replaces: boolean
}

export const SPECS = {
  events: {
    stream: STREAMS.events.name,
    table: 'events',
    rows: eventRows,
    // The same as visitorIdOf.
    key: {
      time: 'original_timestamp',
      id: 'message_id',
      visitor: "if(anonymous_id != '', anonymous_id, concat('user:', user_id))",
    },
    replaces: false,
  },
  decisions: {
    stream: STREAMS.decisions.name,
    table: 'decisions',
    rows: decisionRows,
    key: { time: 'timestamp', id: 'decision_id', visitor: "''" },
    replaces: false,
  },
  rejected: { stream: STREAMS.rejected.name, table: 'rejected_events', rows: rejectedRows, replaces: false },
  profiles: { stream: `KV_${BUCKETS.profiles}`, table: 'profile_versions', rows: profileRows, replaces: true },
} satisfies Record<string, StreamSpec>

/** The profiles of a generation. */
export function profilesSpec(generation: number): StreamSpec {
  return { ...SPECS.profiles, stream: `KV_${profilesBucket(generation)}` }
}
