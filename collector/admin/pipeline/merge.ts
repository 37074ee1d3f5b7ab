import type { HotKey, Lag, ProcessReport, Sample, Trouble } from '@slotstream/protocol'

/** A stream as the broker has it. Limits are null where there is none. */
export interface StreamState {
  name: string
  messages: number
  bytes: number
  firstSeq: number
  lastSeq: number
  /** ISO 8601; null while the stream is empty. */
  firstAt: string | null
  lastAt: string | null
  consumers: number
  replicas: number
  maxBytes: number | null
  maxMessages: number | null
  maxAgeSeconds: number | null
  /** How full it is, 0–1, by the limit that comes first; null without limits on size. */
  full: number | null
}

/** How the messages of the last minutes are spread. Shares are 0–1. */
export interface MergedSkew {
  windowSeconds: number
  messages: number
  partitions: { partition: number; messages: number; share: number }[]
  keys: (HotKey & { share: number })[]
}

export interface PipelineStatus {
  /** ISO 8601. */
  at: string
  partitions: number
  processes: { part: string; id: string; version: string; startedAt: string; uptimeSeconds: number; roles: string[] }[]
  /** Of each role, stream and partition. */
  lags: Lag[]
  /** Of each role: all its messages, and the oldest. */
  behind: { role: string; messages: number; seconds: number; partitions: number }[]
  /** Attempts that fail now and are repeated, longest first. */
  troubles: Trouble[]
  skew: MergedSkew
  warehouse: {
    stream: string
    position: number
    inserts: number
    rows: number
    rowsPerInsert: number
    secondsPerInsert: number
    duplicates: number
    failures: number
    refused: number
    takeovers: number
  }[]
  tables: { table: string; parts: number; mostInPartition: number; rows: number; bytes: number }[]
  counts: {
    deadLettersWaiting: number
    deadLetters: number
    accepted: number
    rejected: Record<string, number>
    /** Messages that a role read again after a restart or a handover. */
    replayed: number
    /** Copies that the broker, and the warehouse, left out. */
    duplicates: { broker: number; warehouse: number }
    publishFailures: number
    decisions: Record<string, number>
    signals: Record<string, number>
  }
  streams: StreamState[]
}

const KEYS = 10

/** Merges the reports of all processes. Pure. Counters are sums over the processes, since each of them started. */
export function mergeReports(
  reports: ProcessReport[],
  streams: StreamState[],
  { now, partitions, deadLettersWaiting }: { now: number; partitions: number; deadLettersWaiting: number },
): PipelineStatus {
  const samples = reports.flatMap(report => report.samples)
  const lags = worstOfEach(reports.flatMap(report => report.lags)).sort(
    (a, b) => a.role.localeCompare(b.role) || a.stream.localeCompare(b.stream) || order(a) - order(b),
  )
  return {
    at: new Date(now).toISOString(),
    partitions,
    processes: reports
      .map(({ part, id, version, startedAt, roles }) => {
        const uptimeSeconds = Math.max(0, Math.round((now - Date.parse(startedAt)) / 1000))
        return { part, id, version, startedAt, uptimeSeconds, roles }
      })
      .sort((a, b) => a.part.localeCompare(b.part) || a.id.localeCompare(b.id)),
    lags,
    behind: [...new Set(lags.map(({ role }) => role))].map(role => {
      const lagsOfRole = lags.filter(lag => lag.role === role)
      return {
        role,
        messages: lagsOfRole.reduce((all, lag) => all + lag.messages, 0),
        seconds: Math.max(...lagsOfRole.map(lag => lag.seconds)),
        partitions: lagsOfRole.filter(lag => lag.partition !== null).length,
      }
    }),
    troubles: reports.flatMap(({ troubles = [] }) => troubles).sort((a, b) => a.since.localeCompare(b.since)),
    skew: mergeSkew(reports),
    warehouse: [...by(samples, 'warehouse_position', 'stream')].map(([stream, position]) => {
      const metric = (name: string) => by(samples, name, 'stream').get(stream) ?? 0
      const inserts = metric('warehouse_inserts_total')
      const rows = metric('warehouse_rows_total')
      const per = (sum: number) => (inserts > 0 ? sum / inserts : 0)
      return {
        stream,
        position,
        inserts,
        rows,
        rowsPerInsert: per(rows),
        secondsPerInsert: per(metric('warehouse_insert_seconds_sum')),
        duplicates: metric('warehouse_duplicates_total'),
        failures: metric('warehouse_failures_total'),
        refused: metric('warehouse_rejected_rows_total'),
        takeovers: metric('warehouse_takeovers_total'),
      }
    }),
    tables: [...by(samples, 'clickhouse_parts', 'table', Math.max)].map(([table, parts]) => {
      const metric = (name: string) => by(samples, name, 'table', Math.max).get(table) ?? 0
      const mostInPartition = metric('clickhouse_parts_most')
      return { table, parts, mostInPartition, rows: metric('clickhouse_rows'), bytes: metric('clickhouse_bytes') }
    }),
    counts: {
      deadLettersWaiting,
      deadLetters: sum(samples, 'dead_letters_total'),
      accepted: sum(samples, 'messages_accepted_total'),
      rejected: Object.fromEntries(by(samples, 'messages_rejected_total', 'code')),
      replayed: by(samples, 'profiles_messages_total', 'result').get('replayed') ?? 0,
      duplicates: {
        broker: sum(samples, 'publications_duplicate_total'),
        warehouse: sum(samples, 'warehouse_duplicates_total'),
      },
      publishFailures: sum(samples, 'publish_failures_total'),
      decisions: Object.fromEntries(by(samples, 'slot_decisions_total', 'outcome')),
      signals: Object.fromEntries(by(samples, 'signals_total', 'signal')),
    },
    streams,
  }
}

function mergeSkew(reports: ProcessReport[]): MergedSkew {
  const skews = reports.flatMap(({ skew }) => skew ?? [])
  const messages = skews.reduce((all, skew) => all + skew.messages, 0)
  const share = (count: number) => (messages > 0 ? count / messages : 0)
  const partitions = new Map<number, number>()
  const keys = new Map<string, HotKey>()
  for (const skew of skews) {
    for (const [partition, count] of skew.partitions)
      partitions.set(partition, (partitions.get(partition) ?? 0) + count)
    for (const key of skew.keys) {
      const name = `${key.siteId}\0${key.visitorId}`
      const merged = keys.get(name)
      keys.set(name, {
        ...key,
        messages: key.messages + (merged?.messages ?? 0),
        error: key.error + (merged?.error ?? 0),
      })
    }
  }
  return {
    windowSeconds: Math.max(0, ...skews.map(skew => skew.windowSeconds)),
    messages,
    partitions: [...partitions]
      .map(([partition, count]) => ({ partition, messages: count, share: share(count) }))
      .sort((a, b) => b.messages - a.messages),
    keys: [...keys.values()]
      .map(key => ({ ...key, share: share(key.messages - key.error) }))
      .sort((a, b) => b.share - a.share)
      .slice(0, KEYS),
  }
}

/** Returns one lag of each role, stream and partition: of a stream that no process loads, all of them report. */
function worstOfEach(lags: Lag[]): Lag[] {
  const worst = new Map<string, Lag>()
  for (const lag of lags) {
    const key = `${lag.role}\0${lag.stream}\0${lag.partition}`
    const before = worst.get(key)
    if (!before || lag.messages > before.messages) worst.set(key, lag)
  }
  return [...worst.values()]
}

function order({ partition }: Lag): number {
  return partition ?? -1
}

function sum(samples: Sample[], name: string): number {
  return samples.reduce((all, sample) => (sample.name === name ? all + sample.value : all), 0)
}

/**
 * Returns the values of a metric by one of its labels; those of several processes or other labels are joined, as a sum.
 */
function by(
  samples: Sample[],
  name: string,
  label: string,
  join: (a: number, b: number) => number = (a, b) => a + b,
): Map<string, number> {
  const values = new Map<string, number>()
  for (const sample of samples) {
    if (sample.name !== name) continue
    const key = String(sample.labels[label] ?? '')
    const before = values.get(key)
    values.set(key, before === undefined ? sample.value : join(before, sample.value))
  }
  return values
}
