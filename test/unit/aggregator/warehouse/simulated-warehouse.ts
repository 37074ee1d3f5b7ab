import type { JsMsg } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import { createLog, createMetrics, type StreamReader } from '@slotstream/runtime'
import { loadStream } from '#aggregator/warehouse/load/load-stream.js'
import { warehouseMetrics } from '#aggregator/warehouse/metrics.js'
import { LostOwnership, positionKeeper } from '#aggregator/warehouse/positions/position.js'
import { keyText, type RowKey, rowPlace } from '#aggregator/warehouse/rows/row.js'
import type { StreamSpec } from '#aggregator/warehouse/tables/specs.js'
import type { Table } from '#aggregator/warehouse/tables/table.js'
import { Stopped } from '#runtime/process/retry.js'

/**
 * What becomes of a call: it is done; it fails before, or after it had its effect. Of an insert also: it lands in one
 * of the table's partitions only, or the server notes the token and is killed before the rows are visible.
 */
export type Fate = 'done' | 'refused' | 'unheard' | 'partial' | 'noted'

/** A message that a client sends: sent again, everything but the time of receipt is the same. */
export interface Sent {
  id: string
  /** Absent: the client named no time. */
  time?: string
}

interface StoredRow {
  key: RowKey
  seq: number
  index: number
  /** Partition of the table. */
  part: number
}

type Line = Omit<StoredRow, 'part'>

const PARTS = 2

/** A message without a time is looked for among what was received this long before it, as in the table. */
const UNTIMED_LOOKBACK_MS = 7 * 24 * 3_600_000

const log = createLog('test')
log.level = 'silent'
const metrics = warehouseMetrics(createMetrics())

const spec: StreamSpec = {
  stream: 'EVENTS',
  table: 'events',
  replaces: false,
  key: { time: '', id: '', visitor: '' },
  rows: ({ text }, seq) =>
    (JSON.parse(text) as (Sent & { receivedAt: string })[]).map(({ id, time, receivedAt }, index) => {
      const key: RowKey = { siteId: 's', visitor: 'v', id, receivedAt, ...(time && { time, happened: time }) }
      const source = { siteId: 's', partition: 0, receivedAt, messageId: id, payload: () => id }
      return { line: JSON.stringify({ key, seq, index } satisfies Line), seq, index, key, source }
    }),
}

/**
 * A stream, a KV bucket and a table that behave as JetStream and ClickHouse do, with calls that take as long as the
 * test wants: each waits once before its effect and once before its answer, also when its caller is dead by then.
 */
export function simulatedWarehouse() {
  const stream: { data: Uint8Array; at: number }[] = []
  const waiting: { insert: boolean; go: (fate: Fate) => void }[] = []
  const listeners = new Set<() => void>()
  let rows: StoredRow[] = []
  let tokens = new Set<string>()
  let backup = { rows, tokens: new Set<string>() }
  let position: { text: string; revision: number } | undefined
  let revisions = 0
  let made = 0

  const turn = (insert = false) => new Promise<Fate>(go => waiting.push({ insert, go }))

  async function call<T>(effect: (fate: Fate) => T, insert = false): Promise<T> {
    const fate = await turn(insert)
    if (fate === 'refused') throw new Error('refused')
    const result = effect(fate)
    if (fate === 'partial' || fate === 'noted') throw new Error('the server died')
    if ((await turn(insert)) !== 'done') throw new Error('the answer was lost')
    return result
  }

  function put(text: string, revision: number): number {
    if ((position?.revision ?? 0) !== revision) throw new Error('wrong last sequence')
    position = { text, revision: ++revisions }
    return revisions
  }

  const bucket = {
    get: () =>
      call(() => position && { revision: position.revision, length: 1, json: () => JSON.parse(position!.text) }).then(
        entry => entry ?? null,
      ),
    create: (_key: string, text: string) => call(() => put(text, 0)),
    update: (_key: string, text: string, revision: number) => call(() => put(text, revision)),
  } as unknown as KV

  function insert(lines: Line[], token: string, fate: Fate): void {
    for (let part = 0; part < PARTS; part++) {
      const own = lines.filter(({ key }) => partOf(key) === part)
      const name = `${token}/${part}`
      if (own.length === 0 || tokens.has(name)) continue
      tokens.add(name)
      if (fate === 'noted') return
      rows = [...rows, ...own.map(line => ({ ...line, part }))]
      if (fate === 'partial') return
    }
  }

  const table: Table = {
    insert: (lines, token) => {
      const parsed = lines.map(line => JSON.parse(line) as Line)
      return call(fate => insert(parsed, token, fate), true)
    },
    check: () => call(() => undefined),
    highest: () => call(() => Math.max(0, ...rows.map(({ seq }) => seq))),
    present: ({ first, last }) =>
      call(() => new Set(rows.filter(({ seq }) => seq >= first && seq <= last).map(rowPlace))),
    find: (keys, { first, last }) =>
      call(() => {
        const outside = rows.filter(({ seq }) => seq < first || seq > last)
        const earliest = Math.min(...keys.map(({ receivedAt }) => Date.parse(receivedAt)))
        const found = keys.filter(({ id, time }) =>
          outside.some(({ key }) =>
            time
              ? key.id === id && key.time === time
              : key.id === id && Date.parse(key.receivedAt) >= earliest - UNTIMED_LOOKBACK_MS,
          ),
        )
        return new Set(found.map(keyText))
      }),
    recent: (since, limit) =>
      call(() =>
        rows
          .map(({ key }) => ({ text: keyText(key), receivedAt: Date.parse(key.receivedAt) }))
          .filter(({ receivedAt }) => receivedAt >= since.getTime())
          .sort((a, b) => b.receivedAt - a.receivedAt)
          .slice(0, limit),
      ),
  }

  function read(from: number): StreamReader {
    let next = from
    let stopped = false
    let wake = () => {}
    const listener = () => wake()
    listeners.add(listener)
    return {
      async *[Symbol.asyncIterator]() {
        while (!stopped) {
          const stored = stream[next - 1]
          if (stored) yield messageOf(next++, stored.data, stored.at)
          else
            await new Promise<void>(resolve => {
              wake = resolve
            })
        }
      },
      async stop() {
        stopped = true
        listeners.delete(listener)
        wake()
      },
    }
  }

  function messageOf(seq: number, data: Uint8Array, at: number): JsMsg {
    const text = new TextDecoder().decode(data)
    return {
      seq,
      data,
      subject: 'events.0',
      timestampNanos: BigInt(at) * 1_000_000n,
      info: { pending: stream.length - seq },
      string: () => text,
    } as unknown as JsMsg
  }

  return {
    publish(messages: Sent[]) {
      const receivedAt = new Date().toISOString()
      const text = JSON.stringify(messages.map(message => ({ ...message, receivedAt })))
      stream.push({ data: new TextEncoder().encode(text), at: Date.now() })
      for (const listener of listeners) listener()
    },
    /** A loader that believes it owns the stream. `ended` says whether it has ended, by itself or killed. */
    startWriter() {
      const abort = new AbortController()
      let reader: StreamReader | undefined
      const writer = {
        ended: false,
        /** It does nothing more, and what it has begun may yet happen. */
        kill() {
          abort.abort()
          void reader?.stop()
        },
      }
      loadStream(
        {
          spec,
          table,
          position: positionKeeper(bucket, spec.stream, String(++made)),
          read,
          lastSequence: () => call(() => stream.length),
          storeRejected: async () => {},
          deadLetter: async () => {},
          limits: { maxRows: 4, maxBytes: 1_000_000, maxAgeMs: 20 },
          metrics,
          log,
        },
        abort.signal,
        started => {
          reader = started
        },
      )
        .catch(error => {
          if (!(error instanceof Stopped || error instanceof LostOwnership)) throw error
        })
        .finally(() => {
          writer.ended = true
          void reader?.stop()
        })
      return writer
    },
    waiting: () => waiting.length,
    /** One step of a call under way. */
    step(index: number, fate: Fate) {
      const [chosen] = waiting.splice(index % waiting.length, 1)
      const possible = chosen?.insert || !['partial', 'noted'].includes(fate)
      chosen?.go(possible ? fate : 'unheard')
    },
    /** Between two blocks. */
    backUp() {
      const isDone = !position || JSON.parse(position.text).done === true
      if (isDone && !waiting.some(({ insert }) => insert)) backup = { rows, tokens: new Set(tokens) }
    },
    /** What is on its way to the server goes down with it. */
    restore(forgetTokens: boolean) {
      for (const { go } of waiting.filter(each => each.insert)) go('refused')
      waiting.splice(0, waiting.length, ...waiting.filter(each => !each.insert))
      rows = backup.rows
      tokens = forgetTokens ? new Set() : new Set(backup.tokens)
    },
    rows: () => rows,
  }
}

/** A table is partitioned by time; what names none is in the first one. */
function partOf({ time }: RowKey): number {
  return time ? Math.floor(Date.parse(time) / 1000) % PARTS : 0
}
