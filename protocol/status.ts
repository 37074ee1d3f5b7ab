/** Request-reply subject on which every process reports how it is; each answers for itself. */
export const STATUS_SUBJECT = 'slotstream.status'

/** How far a role is behind. */
export interface Lag {
  role: string
  stream: string
  /** Null: the role reads the stream as a whole. */
  partition: number | null
  /** Messages not processed yet. */
  messages: number
  /** Age of the oldest of them, in seconds; 0 when there is none. */
  seconds: number
}

/** One value of a metric, as `/metrics` has it, without the prefix `slotstream_`. */
export interface Sample {
  name: string
  labels: Record<string, string | number>
  value: number
}

/** How many messages a visitor sent within a window: at least `messages − error`, at most `messages`. */
export interface HotKey {
  siteId: string
  visitorId: string
  messages: number
  error: number
}

/** How the messages of the last minutes are spread. */
export interface Skew {
  windowSeconds: number
  messages: number
  /** `[partition, messages]`, those with messages only. */
  partitions: [number, number][]
  keys: HotKey[]
}

/** What a process says of itself: the numbers of its `/metrics`, and what is no metric. */
export interface ProcessReport {
  /** `collector`, `aggregator` … */
  part: string
  /** Host and process id. */
  id: string
  version: string
  /** ISO 8601. */
  startedAt: string
  roles: string[]
  lags: Lag[]
  skew?: Skew
  samples: Sample[]
}
