import { BUCKETS, bucketOfStream, DEAD_LETTERS, STREAMS } from '@slotstream/protocol'

/** The expressions by which a table names people, in SQL. */
export interface PersonTable {
  /**
   * The way to find its rows: by columns of ids, by the text of a rejected message, by the key of a profile, or by the
   * ids of all messages of a session.
   */
  by: 'ids' | 'payload' | 'visitor' | 'session'
  /** The columns of ids; empty: it has none. */
  columns: { anonymousId: string; userId: string; previousId?: string }
  /** Condition, in SQL, of rows whose userId is more than a claim. Absent: all rows. */
  proven?: string
  /** The time that is compared with that of the deletion. */
  time: string
  /** Columns that tell a row from all others and say nothing about its person: two whole numbers. */
  place: [string, string]
  /** Columns of a row that an export shows. Default: all */
  shown?: string
}

const POSITION: PersonTable['place'] = ['stream_seq', 'batch_index']
const IDS = { anonymousId: 'anonymous_id', userId: 'user_id' }

/**
 * Everything that keeps data about people. A table, stream or bucket that isn't listed makes a test fail: a new
 * one is added here, and so to export and deletion.
 */
export const PLACES = {
  /** Tables of the database `slotstream`; views keep nothing. */
  tables: {
    events: {
      by: 'ids',
      columns: { ...IDS, previousId: 'previous_id' },
      proven: "sender != 'unsigned'",
      time: 'timestamp',
      place: POSITION,
    },
    // After events: what is left of a session whose row is deleted is read from there.
    session_states: {
      by: 'session',
      columns: { anonymousId: 'anonymous_id', userId: 'user_ids', previousId: 'previous_ids' },
      time: 'started_at',
      place: ['tupleElement(first, 2)', 'tupleElement(first, 3)'],
      shown:
        'site_id, session_id, anonymous_id, user_ids, previous_ids, started_at, ended_at, entry, exit, arrival, machine, location, orders',
    },
    page_reports: { by: 'ids', columns: IDS, proven: "sender != 'unsigned'", time: 'timestamp', place: POSITION },
    slot_responses: { by: 'ids', columns: IDS, proven: "sender != 'unsigned'", time: 'timestamp', place: POSITION },
    sessionless_events: {
      by: 'ids',
      columns: { ...IDS, previousId: 'previous_id' },
      proven: "sender != 'unsigned'",
      time: 'timestamp',
      place: POSITION,
    },
    // An alias has one for each browser that it names, of one place and one user.
    identifications: { by: 'ids', columns: { ...IDS, previousId: 'previous_id' }, time: 'timestamp', place: POSITION },
    identity_decisions: { by: 'ids', columns: IDS, time: 'decided_at', place: POSITION },
    decisions: { by: 'ids', columns: IDS, time: 'timestamp', place: POSITION },
    learning_outcomes: { by: 'ids', columns: IDS, time: 'decided_at', place: POSITION },
    money_events: { by: 'ids', columns: IDS, time: 'timestamp', place: POSITION },
    detected_signals: { by: 'ids', columns: IDS, time: 'timestamp', place: POSITION },
    segment_intervals: { by: 'ids', columns: IDS, time: 'entered_at', place: POSITION },
    webhook_deliveries: { by: 'ids', columns: IDS, time: 'timestamp', place: POSITION },
    rejected_events: {
      by: 'payload',
      columns: { anonymousId: '', userId: '' },
      time: 'received_at',
      place: POSITION,
    },
    // Generations of profiles count their positions each by itself.
    profile_versions: {
      by: 'visitor',
      columns: IDS,
      time: 'first_seen',
      place: ['stream_seq', 'toUnixTimestamp64Milli(last_seen)'],
    },
  } satisfies Record<string, PersonTable> as Record<string, PersonTable>,
  /** Kinds of streams: each may be shared out among several. */
  streams: Object.values(STREAMS).map(({ name }) => name) as string[],
  /** The stream of dead letters. */
  deadLetters: DEAD_LETTERS.name,
  /** The bucket of signals that webhooks did not take: its values are letters, too. */
  webhookLetters: BUCKETS.webhookLetters,
  /** Buckets with a value for each visitor, of every generation. */
  buckets: [BUCKETS.profiles] as string[],
  /** Tables whose rows the lake copies into files. */
  lake: ['events', 'decisions', 'detected_signals', 'rejected_events', 'webhook_deliveries', 'learning_outcomes'],
  /** Places that name no person, or by keyed hashes and encrypted only. */
  without: {
    tables: ['migrations', 'catalog_changes', 'experiment_changes'],
    buckets: [
      BUCKETS.sites,
      BUCKETS.catalog,
      BUCKETS.catalogHistory,
      BUCKETS.plans,
      BUCKETS.definitions,
      BUCKETS.webhooks,
      BUCKETS.positions,
      BUCKETS.timers,
      // Sums over all persons, from which deleted ones are taken away.
      BUCKETS.learning,
      // The same of items; a deleted person is in none that is fitted afterwards.
      BUCKETS.itemModels,
      BUCKETS.leases,
      BUCKETS.meta,
      BUCKETS.jobs,
      BUCKETS.tombstones,
    ] as string[],
  },
}

/** Returns whether the registry knows a stream of JetStream: a kind's, that of dead letters, or a bucket's. */
export function isKnownStream(name: string): boolean {
  const bucket = bucketOfStream(name)
  if (bucket === undefined) return name === PLACES.deadLetters || PLACES.streams.includes(withoutNumber(name))
  const { webhookLetters, without, buckets } = PLACES
  return bucket === webhookLetters || without.buckets.includes(bucket) || buckets.includes(withoutNumber(bucket))
}

/** Returns the name of a stream of JetStream as reports and exports have it: `stream EVENTS`, `bucket profiles`. */
export function placeOfStream(stream: string): string {
  const bucket = bucketOfStream(stream)
  return bucket === undefined ? `stream ${stream}` : `bucket ${bucket}`
}

/** Returns the name of a stream's kind, or of a bucket's first generation. */
export function withoutNumber(name: string): string {
  return name.replace(/_\d+$/, '')
}
