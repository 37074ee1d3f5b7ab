import { CONNECTIONS, loadAll } from '../ingest/load-all.js'
import type { BenchOptions } from '../options.js'
import { percentile } from '../support/percentile.js'
import { startFrontDoor } from '../support/servers/front-door.js'
import { processorSeconds } from '../support/servers/processor.js'
import { startBareServer } from '../support/servers/start-bare-server.js'
import { SITE } from '../support/servers/system.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { benchEndurance, type Reading } from './endurance.js'
import { benchGrowth, type Growth } from './growth.js'
import { benchIdle, type Idle } from './idle.js'
import { benchSteady } from './steady.js'

const COLLECTORS = [1, 2, 4]
const ROUND_SECONDS = 6
const STEADY_SECONDS = 15
const IDLE_CONNECTIONS = 10_000
/** Acknowledged events/s that the paper part is about. */
const GOAL = 100_000

/**
 * Collectors with their nats-server alone: how they grow and what an event costs, latency at half load, memory over
 * many events, idle connections. The baseline is a bare server that parses the same bodies and answers 204.
 */
export async function benchCollector({ events }: BenchOptions): Promise<string> {
  const bare = await startBareServer()
  const growth: Growth[] = []
  let baseline: Baseline
  try {
    await loadAll([bare.url], 2, 'warm')
    const before = await processorSeconds(bare.pid)
    const { events, eventsPerSecond } = await loadAll([bare.url], ROUND_SECONDS, 'bare')
    const micros = (((await processorSeconds(bare.pid)) - before) * 1e6) / events
    baseline = { eventsPerSecond, micros }
    for (const count of COLLECTORS) growth.push(await benchGrowth(count, ROUND_SECONDS))
  } finally {
    bare.stop()
  }
  const half = (growth[0]?.eventsPerSecond ?? 0) / 2
  const frontDoor = await startFrontDoor(SITE)
  try {
    const url = frontDoor.collectorUrl
    await benchSteady(url, half, 3)
    const steady = await benchSteady(url, half, STEADY_SECONDS)
    const idle = await benchIdle(url, IDLE_CONNECTIONS, () => benchSteady(url, half / 2, STEADY_SECONDS))
    const readings = await benchEndurance(url, events)
    return report({ baseline, growth, half, steady, idle, readings })
  } finally {
    await frontDoor.stop()
  }
}

/** Load that the bare server takes, and the cost of an event in microseconds of processor time. */
interface Baseline {
  eventsPerSecond: number
  micros: number
}

interface Results {
  baseline: Baseline
  growth: Growth[]
  half: number
  steady: number[]
  idle: Idle
  readings: Reading[]
}

function report({ baseline, growth, half, steady, idle, readings }: Results): string {
  const header = ['', 'events/s', '÷ bare', 'p99 ms', 'µs/event', 'bare ÷ it', 'NATS µs/event', 'bytes/event']
  const rows = growth.map(step => [
    `${step.collectors} collector${step.collectors > 1 ? 's' : ''}`,
    whole(step.eventsPerSecond),
    (step.eventsPerSecond / baseline.eventsPerSecond).toFixed(3),
    milliseconds(step.p99),
    step.collectorMicros.toFixed(1),
    (baseline.micros / step.collectorMicros).toFixed(3),
    step.natsMicros.toFixed(1),
    step.storedBytes.toFixed(0),
  ])
  const bareRow = ['bare', whole(baseline.eventsPerSecond), '1.000', '', baseline.micros.toFixed(1), '1.000', '', '']
  const quarters = [0.25, 0.5, 0.75, 1].map(share => readings[Math.ceil(share * readings.length) - 1] as Reading)
  return `## Collector: side by side on one nats-server, file-backed, ${CONNECTIONS} connections

${markdownTable(header, [bareRow, ...rows])}

µs are processor time, all collectors together; they say what an event costs also when something else is running.

${onPaper(growth[0] as Growth)}

${whole(half)} events/s, half of what one takes, for ${STEADY_SECONDS} s: p50 ${milliseconds(percentile(steady, 0.5))} ms, \
p99 ${milliseconds(percentile(steady, 0.99))} ms (aim 20).

${whole(idle.connections)} idle connections, ${idle.kilobytesEach.toFixed(1)} KB each; ${whole(idle.alive)} answered at the \
end. Beside them ${whole(half / 2)} events/s: p50 ${milliseconds(percentile(idle.latencies, 0.5))} ms, p99 \
${milliseconds(percentile(idle.latencies, 0.99))} ms.

Memory of one collector at full speed:

${markdownTable(
  ['events', 'resident MB'],
  quarters.map(({ events, megabytes }) => [whole(events), whole(megabytes)]),
)}`
}

/** Estimates what the goal costs if an event costs what it cost here. */
function onPaper({ collectorMicros, natsMicros, storedBytes }: Growth): string {
  const cores = (micros: number) => ((micros * GOAL) / 1e6).toFixed(1)
  const megabytes = (storedBytes * GOAL) / 1e6
  return `On paper, ${whole(GOAL)} events/s cost ${cores(collectorMicros)} cores of collectors, ${cores(natsMicros)} cores of \
NATS for each copy of the stream, and ${megabytes.toFixed(0)} MB/s of disk for each copy, ${whole((megabytes * 86_400) / 1_000)} GB a day.`
}
