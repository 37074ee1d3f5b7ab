import type { ProcessReport } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { mergeReports, type StreamState } from '#collector/admin/pipeline/merge.js'
import { statusPage } from '#collector/admin/pipeline/page.js'
import { warningsOf } from '#collector/admin/pipeline/warnings.js'

const NOW = Date.UTC(2026, 0, 1, 12)

function report(fields: Partial<ProcessReport> = {}): ProcessReport {
  return {
    part: 'aggregator',
    id: 'host:1',
    version: '0.1.0',
    startedAt: new Date(NOW - 60_000).toISOString(),
    roles: ['profiles', 'decisions', 'warehouse'],
    lags: [],
    samples: [],
    ...fields,
  }
}

const lag = (partition: number | null, messages: number, seconds: number, role = 'profiles') => ({
  role,
  stream: 'EVENTS',
  partition,
  messages,
  seconds,
})

const sample = (name: string, value: number, labels = {}) => ({ name, value, labels })

const merge = (reports: ProcessReport[], streams: StreamState[] = [], deadLettersWaiting = 0) =>
  mergeReports(reports, streams, { now: NOW, partitions: 32, deadLettersWaiting })

const stream: StreamState = {
  name: 'EVENTS',
  messages: 9,
  bytes: 900,
  firstSeq: 1,
  lastSeq: 9,
  firstAt: null,
  lastAt: null,
  consumers: 2,
  replicas: 1,
  maxBytes: 1_000,
  maxMessages: null,
  maxAgeSeconds: 604_800,
  full: 0.9,
}

describe('the status of several processes', () => {
  it('is one: lags side by side, counters summed, tables as whoever sees most of them says', () => {
    const one = report({
      lags: [lag(2, 5, 3), lag(1, 0, 0)],
      samples: [
        sample('warehouse_position', 90, { stream: 'EVENTS' }),
        sample('warehouse_inserts_total', 4, { stream: 'EVENTS' }),
        sample('warehouse_rows_total', 100, { stream: 'EVENTS' }),
        sample('warehouse_insert_seconds_sum', 2, { stream: 'EVENTS' }),
        sample('warehouse_duplicates_total', 2, { stream: 'EVENTS', found: 'block' }),
        sample('warehouse_duplicates_total', 3, { stream: 'EVENTS', found: 'table' }),
        sample('clickhouse_parts', 7, { table: 'events' }),
        sample('profiles_messages_total', 6, { result: 'replayed' }),
        sample('signals_total', 3, { signal: 'interest_shift' }),
      ],
    })
    const two = report({
      id: 'host:2',
      lags: [lag(3, 2, 9)],
      samples: [
        sample('clickhouse_parts', 6, { table: 'events' }),
        sample('dead_letters_total', 1, { role: 'profiles' }),
        sample('signals_total', 4, { signal: 'interest_shift' }),
      ],
    })
    const status = merge([two, one])
    expect(status.processes.map(({ id, uptimeSeconds }) => [id, uptimeSeconds])).toEqual([
      ['host:1', 60],
      ['host:2', 60],
    ])
    expect(status.lags.map(({ partition }) => partition)).toEqual([1, 2, 3])
    expect(status.behind).toEqual([{ role: 'profiles', messages: 7, seconds: 9, partitions: 3 }])
    expect(status.warehouse).toMatchObject([
      { stream: 'EVENTS', rowsPerInsert: 25, secondsPerInsert: 0.5, duplicates: 5 },
    ])
    expect(status.tables).toMatchObject([{ table: 'events', parts: 7 }])
    expect(status.counts).toMatchObject({ deadLetters: 1, replayed: 6, duplicates: { warehouse: 5 } })
    expect(status.counts.signals).toEqual({ interest_shift: 7 })
  })

  it('adds up what several processes see of one visitor, and takes what is sure for its share', () => {
    const skew = (messages: number, error: number) => ({
      windowSeconds: 100,
      messages: 500,
      partitions: [[7, messages]] as [number, number][],
      keys: [{ siteId: 'shop', visitorId: 'server', messages, error }],
    })
    const { skew: merged } = merge([report({ skew: skew(300, 50) }), report({ skew: skew(200, 30) })])
    expect(merged.messages).toBe(1_000)
    expect(merged.keys).toEqual([{ siteId: 'shop', visitorId: 'server', messages: 500, error: 80, share: 0.42 }])
    expect(merged.partitions).toEqual([{ partition: 7, messages: 500, share: 0.5 }])
  })
})

describe('warnings', () => {
  const texts = (...args: Parameters<typeof merge>) => warningsOf(merge(...args)).map(({ what }) => what)

  it('are none when all is well', () => {
    expect(texts([report({ lags: [lag(1, 20, 2)] })])).toEqual([])
  })

  it('name who is missing, full, behind, dead, or of another version', () => {
    expect(
      texts(
        [
          report({ roles: ['profiles'], lags: [lag(null, 90, 45, 'warehouse')] }),
          report({ version: '0.0.9', roles: [] }),
        ],
        [stream],
        3,
      ),
    ).toEqual([
      'no process answers for the role decisions',
      'no process answers for the role warehouse',
      'the stream EVENTS is 90 % full: when it is full, messages are rejected with 503',
      'the role warehouse is behind: 90 messages, the oldest waits for 45 s',
      'dead letters wait: 3 messages could not be processed',
      'processes of different versions run: 0.0.9, 0.1.0',
    ])
  })

  it('name the visitor that is a server, and say what to do', () => {
    const keys = [{ siteId: 'shop', visitorId: 'backend', messages: 4_200, error: 0 }]
    const skew = { windowSeconds: 300, messages: 10_000, partitions: [[4, 4_300]] as [number, number][], keys }
    const [warning, ...others] = warningsOf(merge([report({ skew })]))
    expect(warning?.what).toBe('visitor backend of site shop sends 42 % of all messages')
    expect(warning?.todo).toContain('an anonymousId or userId of their own')
    expect(others).toEqual([])
    const few = { ...skew, messages: 100, keys: [{ ...keys[0]!, messages: 90 }] }
    expect(warningsOf(merge([report({ skew: few })]))).toEqual([])
  })

  it('name a partition that is hot without one visitor being so', () => {
    const skew = { windowSeconds: 300, messages: 10_000, partitions: [[4, 3_000]] as [number, number][], keys: [] }
    expect(texts([report({ skew })])).toEqual(['partition 4 has 30 % of all messages'])
  })

  it('name a table that merges cannot keep up with', () => {
    const samples = [
      sample('clickhouse_parts', 900, { table: 'events' }),
      sample('clickhouse_parts_most', 450, { table: 'events' }),
    ]
    expect(texts([report({ samples })])).toEqual([
      "the table events has 450 parts in one partition: merges don't keep up with inserts",
    ])
  })
})

describe('the page', () => {
  it('shows the numbers and lets nothing of a client through as markup', () => {
    const keys = [{ siteId: 'shop', visitorId: '<img src=x onerror=alert(1)>', messages: 5_000, error: 0 }]
    const skew = { windowSeconds: 300, messages: 10_000, partitions: [], keys }
    const status = merge([report({ skew, lags: [lag(1, 1_234, 2.5)] })], [stream])
    const page = statusPage(status, warningsOf(status))
    expect(page).toContain('1,234')
    expect(page).toContain('EVENTS')
    expect(page).not.toContain('<img')
    expect(page).not.toContain('<script')
  })
})
