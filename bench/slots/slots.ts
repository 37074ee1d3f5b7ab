import type { Outcome, SlotsAnswer } from '@slotstream/protocol'
import { makeVisitors, slotRequest } from '../support/known-visitors.js'
import { machineClock, openLoop } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { createPoster, type Poster } from '../support/poster.js'
import { startBareServer } from '../support/servers/start-bare-server.js'
import { SITE, startSystem, untilStored } from '../support/servers/system.js'
import { SHOP } from '../support/shop.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'

const REQUESTS_PER_SECOND = 500
const PROFILES = 10_000
const ROUNDS = 3
const WARM_UP_SECONDS = 3
const ROUND_SECONDS = 10

interface Measured {
  latencies: number[]
  outcomes: Map<Outcome | 'error', number>
}

/**
 * Measures how long `/v1/slots` takes at 500 requests a second over 10,000 profiles, against a bare server that parses
 * the same requests and answers with the same text at once. The two take turns.
 */
export async function benchSlots(): Promise<string> {
  const system = await startSystem()
  const poster = createPoster(system.collectorUrl, SITE)
  let bare: Awaited<ReturnType<typeof startBareServer>> | undefined
  let barePoster: Poster | undefined
  try {
    await system.putCatalog(SHOP)
    await makeVisitors(poster, PROFILES)
    // What still goes on in the warehouse is not part of what is measured.
    await untilStored(system, PROFILES)
    const sample = await poster.post('/v1/slots', slotRequest(0, PROFILES))
    bare = await startBareServer(JSON.stringify(sample.body))
    barePoster = createPoster(bare.url, SITE)

    await ask(barePoster, WARM_UP_SECONDS)
    await ask(poster, WARM_UP_SECONDS)
    const rounds: { bare: Measured; system: Measured }[] = []
    for (let round = 0; round < ROUNDS; round++)
      rounds.push({ bare: await ask(barePoster, ROUND_SECONDS), system: await ask(poster, ROUND_SECONDS) })
    return report(rounds)
  } finally {
    poster.close()
    barePoster?.close()
    bare?.stop()
    await system.stop()
  }
}

async function ask(poster: Poster, seconds: number): Promise<Measured> {
  const latencies: number[] = []
  const outcomes: Measured['outcomes'] = new Map()
  await openLoop({ perSecond: REQUESTS_PER_SECOND, seconds }, async (n, intendedAt) => {
    const { status, body } = await poster.post('/v1/slots', slotRequest(n, PROFILES))
    latencies.push(machineClock.now() - intendedAt)
    const outcome = status === 200 ? ((body as SlotsAnswer).decisions[0]?.outcome ?? 'error') : 'error'
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  })
  return { latencies, outcomes }
}

function report(rounds: { bare: Measured; system: Measured }[]): string {
  const rows = rounds.map(({ bare, system }, index) => {
    const p99 = percentile(system.latencies, 0.99)
    return [
      `round ${index + 1}`,
      milliseconds(percentile(bare.latencies, 0.5)),
      milliseconds(percentile(bare.latencies, 0.99)),
      milliseconds(percentile(system.latencies, 0.5)),
      milliseconds(p99),
      (p99 / percentile(bare.latencies, 0.99)).toFixed(1),
    ]
  })
  const all = rounds.flatMap(({ system }) => system.latencies)
  const outcomes = new Map<string, number>()
  for (const { system } of rounds)
    for (const [outcome, n] of system.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + n)
  const header = ['', 'bare: p50 ms', 'bare: p99 ms', 'slots: p50 ms', 'slots: p99 ms', 'p99 slots ÷ p99 bare']
  return `## Slots: ${REQUESTS_PER_SECOND} requests/s, open loop, ${whole(PROFILES)} profiles

${markdownTable(header, rows)}

All rounds: p50 ${milliseconds(percentile(all, 0.5))} ms, p99 ${milliseconds(percentile(all, 0.99))} ms (aim: p99 under 20). \
Outcomes: ${[...outcomes].map(([outcome, n]) => `${outcome} ${whole(n)}`).join(', ')}.`
}
