import type { BenchOptions } from '../options.js'
import { percentile } from '../support/percentile.js'
import { progressOf } from '../support/progress.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { benchCatchUp, benchWarehouse, type Sizes } from './catch-up.js'
import { benchSustained, EVENTS_PER_SECOND, type Sustained } from './sustained.js'

const done = progressOf('pipeline')

/** Events of the comparison with the client: enough that the start doesn't show, few enough to hold as objects. */
const COMPARED = 200_000

/**
 * Measures the stream and the warehouse: what the loading costs, whether it keeps up, catches up, and what it takes up.
 */
export async function benchPipeline({ seconds, backlog }: BenchOptions): Promise<string> {
  const { loader, client, lake, sizes } = await benchWarehouse(COMPARED)
  done(`loading ${whole(loader.perSecond)} rows/s, the client ${whole(client.perSecond)}`)
  const sustained = await benchSustained(seconds)
  done(`visible within ${milliseconds(percentile(sustained.visibleAfter, 0.99))} ms (p99)`)
  const { caughtUp } = await benchCatchUp(backlog)
  done(`caught up at ${whole(caughtUp.perSecond)} events/s`)
  const ratio = (perSecond: number) => (perSecond / client.perSecond).toFixed(2)
  return `## Pipeline: messages of a shop, about ${whole(sizes.stream / sizes.events)} bytes each in the stream

Rows a second into \`events\`, ${whole(COMPARED)} rows:

${markdownTable(
  ['', 'rows/s', '÷ client', 'aim'],
  [
    ['@clickhouse/client, objects, straight into the table', whole(client.perSecond), '1', ''],
    ['warehouse role, from the stream', whole(loader.perSecond), ratio(loader.perSecond), '0.5'],
    [
      `all of it, catching up on ${whole(caughtUp.events)} events`,
      whole(caughtUp.perSecond),
      ratio(caughtUp.perSecond),
      '20,000/s',
    ],
    ['role batch, from the table into the lake', whole(lake.perSecond), ratio(lake.perSecond), ''],
  ],
)}

${steady(sustained)}

${disk(sizes, lake.bytes)}`
}

function steady(run: Sustained): string {
  const names = Object.keys(run.memory.at(-1) ?? {})
  const at = (share: number, name: string) => {
    const readings = run.memory.map(sample => sample[name] ?? Number.NaN)
    return whole(readings[Math.min(readings.length - 1, Math.floor(share * readings.length))] ?? Number.NaN)
  }
  return `${whole(EVENTS_PER_SECOND)} events/s for ${run.seconds} s through the collector: ${whole(run.acknowledged)} acknowledged, \
${whole(run.stored)} rows, ${run.failures} requests failed.

${markdownTable(
  ['from the time to send to', 'p50 ms', 'p99 ms', 'aim, p99 ms'],
  [
    ['acknowledged', ...quantiles(run.acknowledgedAfter), ''],
    ['row visible in ClickHouse', ...quantiles(run.visibleAfter), '3,000'],
  ],
)}

ClickHouse was asked every ${milliseconds(percentile(run.betweenAnswers, 0.5))} ms (p99 ${milliseconds(percentile(run.betweenAnswers, 0.99))}).

Memory in MB, ${run.memory.length} readings over the run:

${markdownTable(
  ['process', 'a quarter in', 'half', 'three quarters', 'end'],
  names.map(name => [name, at(0.25, name), at(0.5, name), at(0.75, name), at(1, name)]),
)}`
}

function quantiles(values: number[]): [string, string] {
  return [milliseconds(percentile(values, 0.5)), milliseconds(percentile(values, 0.99))]
}

function disk({ events, stream, table, merged, columns }: Sizes, lake: number): string {
  const each = (bytes: number) => (bytes / events).toFixed(0)
  return `Bytes on disk an event (${whole(events)} events):

${markdownTable(
  ['where', 'bytes'],
  [
    ['stream EVENTS, one replica', each(stream)],
    ['table events, as inserted', each(table)],
    ['table events, merged', each(merged)],
    ['lake, Parquet', each(lake)],
    ...columns.map(({ column, bytes }) => [`of it ${column}`, each(bytes)]),
  ],
)}`
}
