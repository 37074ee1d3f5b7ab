import type { Message, Outcome, SlotsAnswer } from '@slotstream/protocol'
import type { BenchOptions } from '../options.js'
import { addressOf, makeVisitors } from '../support/known-visitors.js'
import { machineClock, openLoop } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { createPoster, type Poster } from '../support/poster.js'
import { startBareServer } from '../support/servers/start-bare-server.js'
import { SITE, startSystem, untilStored } from '../support/servers/system.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { FULL_SLOTS, fullContent, fullRequest } from './full-catalog.js'
import { usedBetween, usedSoFar } from './time-used.js'

/** Shares of `--rate` that are tried, the highest last. */
const STEPS = [0.25, 0.5, 0.75, 1]
const WARM_UP_SECONDS = 5
/** Requests whose items are viewed and clicked before it begins, so that there are models. */
const LEARNED = 2_000
const CONTENT_AT_ONCE = 200
/** p99 that is aimed for, as a multiple of the bare server's. */
const MOST = 5

interface Measured {
  latencies: number[]
  outcomes: Map<Outcome | 'error', number>
}

interface Step {
  rate: number
  bare: Measured
  system: Measured
  used: string[][]
}

/**
 * Measures how long `/v1/slots` takes for three slots at rising rates, with targeting, caps and policies that learn,
 * against a bare server that parses the same requests and answers with the same text at once. At each rate, the bare
 * server is first. `--seconds` is the time of the highest rate, the others take a third of it.
 */
export async function benchFullSlots({ rate, visitors, contents, seconds }: BenchOptions): Promise<string> {
  const system = await startSystem()
  const poster = createPoster(system.collectorUrl, SITE)
  let bare: Awaited<ReturnType<typeof startBareServer>> | undefined
  let barePoster: Poster | undefined
  try {
    const content = fullContent(contents)
    for (let first = 0; first < content.length; first += CONTENT_AT_ONCE)
      await system.putCatalog({ slots: FULL_SLOTS, content: content.slice(first, first + CONTENT_AT_ONCE) })
    await makeVisitors(poster, visitors)
    await untilStored(system, visitors)
    await learn(poster, visitors)
    const sample = await poster.post('/v1/slots', fullRequest(0, visitors))
    bare = await startBareServer(JSON.stringify(sample.body))
    barePoster = createPoster(bare.url, SITE)
    await ask(barePoster, rate / 4, WARM_UP_SECONDS, visitors)
    await ask(poster, rate / 4, WARM_UP_SECONDS, visitors)
    const steps: Step[] = []
    for (const share of STEPS) {
      const at = Math.max(1, Math.round(rate * share))
      const long = Math.max(1, share === 1 ? seconds : Math.ceil(seconds / 3))
      const ofBare = await ask(barePoster, at, long, visitors)
      const before = await usedSoFar(system)
      steps.push({ rate: at, bare: ofBare, system: await ask(poster, at, long, visitors), used: [] })
      steps.at(-1)!.used = usedBetween(before, await usedSoFar(system), long, at * long)
    }
    return report(steps, { visitors, contents })
  } finally {
    poster.close()
    barePoster?.close()
    bare?.stop()
    await system.stop()
  }
}

/** Views what some requests are answered, and clicks a part of it. */
async function learn(poster: Poster, visitors: number): Promise<void> {
  for (let n = 0; n < Math.min(LEARNED, visitors * 2); n++) {
    const request = fullRequest(n, visitors)
    const { body } = await poster.post('/v1/slots', request)
    const batch = (body as SlotsAnswer).decisions.flatMap(({ slotId, decisionId, items }) =>
      items.flatMap(({ contentId, position }): Message[] => {
        const properties = { slotId, decisionId, contentId, position }
        const message = (event: string): Message => ({
          messageId: `${event}-${decisionId}-${position}`,
          type: 'track',
          event,
          anonymousId: request.anonymousId,
          timestamp: new Date().toISOString(),
          properties,
        })
        return (n + position) % 7 === 0 ? [message('Slot Viewed'), message('Slot Clicked')] : [message('Slot Viewed')]
      }),
    )
    if (batch.length > 0) await poster.post('/v1/batch', { batch }, addressOf(n))
  }
}

async function ask(poster: Poster, perSecond: number, seconds: number, visitors: number): Promise<Measured> {
  const latencies: number[] = []
  const outcomes: Measured['outcomes'] = new Map()
  await openLoop({ perSecond, seconds }, async (n, intendedAt) => {
    const { status, body } = await poster.post('/v1/slots', fullRequest(n, visitors))
    latencies.push(machineClock.now() - intendedAt)
    const decided = status === 200 ? (body as SlotsAnswer).decisions.map(({ outcome }) => outcome) : ['error' as const]
    for (const outcome of decided) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  })
  return { latencies, outcomes }
}

function report(steps: Step[], { visitors, contents }: { visitors: number; contents: number }): string {
  const rows = steps.map(({ rate, bare, system }) => {
    const [bareP99, p99] = [percentile(bare.latencies, 0.99), percentile(system.latencies, 0.99)]
    const served = system.outcomes.get('served') ?? 0
    const all = [...system.outcomes.values()].reduce((sum, n) => sum + n, 0)
    return [
      whole(rate),
      ...[percentile(bare.latencies, 0.5), bareP99, percentile(system.latencies, 0.5), p99].map(milliseconds),
      (p99 / bareP99).toFixed(1),
      `${((100 * served) / all).toFixed(2)} %`,
    ]
  })
  const holds = steps.filter(
    ({ bare, system }) => percentile(system.latencies, 0.99) <= MOST * percentile(bare.latencies, 0.99),
  )
  const header = [
    'requests/s',
    'bare: p50 ms',
    'bare: p99 ms',
    'slots: p50 ms',
    'slots: p99 ms',
    'p99 ÷ bare',
    'served',
  ]
  const highest = steps.at(-1)!
  return `## Slots in full: ${FULL_SLOTS.length} slots a request, a fifth of ${whole(contents)} contents eligible, ${whole(visitors)} profiles

${markdownTable(header, rows)}

Highest rate whose p99 is at most ${MOST} times the bare server's: ${holds.length > 0 ? whole(holds.at(-1)!.rate) : 'none of these'}. \
Where the time goes at ${whole(highest.rate)}/s:

${markdownTable(['', 'value'], highest.used)}`
}
