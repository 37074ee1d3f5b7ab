import type { BatchAnswer, SlotsAnswer } from '@slotstream/protocol'
import { machineClock, openLoop } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { createPoster, type Poster } from '../support/poster.js'
import { SITE, startSystem } from '../support/servers/system.js'
import { contentFor, productViewed, SHOP, SLOT_ID } from '../support/shop.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { watchRows } from './watch-rows.js'

const EVENTS_PER_SECOND = 500
const BATCH_SIZE = 20
const SECONDS = 30
const WARM_UP_SECONDS = 5
const VISITORS = 1_000

/** Visitors a second who look at a product and ask for a slot at once. */
const EFFECTS_PER_SECOND = 20

/** How long an event may take to become visible, or to count, before the bench fails, in milliseconds. */
const DEADLINE_MS = 30_000

/**
 * Measures how old visible data is, at 500 events a second: from `track()` until the row can be selected, and until it
 * counts in `/v1/slots`. Read both against the time in which a batch is acknowledged, which neither can be faster than.
 */
export async function benchFreshness(): Promise<string> {
  const system = await startSystem()
  const poster = createPoster(system.collectorUrl, SITE)
  const rows = watchRows(async messageIds => {
    const stored = await system.query<{ message_id: string }>(
      'SELECT message_id FROM slotstream.events WHERE message_id IN {ids: Array(String)}',
      { ids: messageIds },
    )
    return stored.map(row => row.message_id)
  })
  try {
    await system.putCatalog(SHOP)
    await run(poster, WARM_UP_SECONDS, 'warm', rows)
    const warm = { rows: rows.latencies.length, answers: rows.betweenAnswers.length }
    const measured = await run(poster, SECONDS, 'run', rows)
    return report({
      ...measured,
      visible: rows.latencies.slice(warm.rows),
      betweenAnswers: rows.betweenAnswers.slice(warm.answers),
    })
  } finally {
    await rows.stop()
    poster.close()
    await system.stop()
  }
}

/** Sends for some seconds, then waits until everything that is watched is visible. All times in milliseconds. */
async function run(poster: Poster, seconds: number, name: string, rows: ReturnType<typeof watchRows>) {
  const acknowledged: number[] = []
  const effects: number[] = []
  let askedAgain = 0

  const stream = openLoop({ perSecond: EVENTS_PER_SECOND / BATCH_SIZE, seconds }, async (n, intendedAt) => {
    const anonymousId = `${name}-visitor-${n % VISITORS}`
    const ids = Array.from({ length: BATCH_SIZE }, (_, index) => `${name}-${n}-${index}`)
    rows.add(ids[BATCH_SIZE - 1]!, intendedAt)
    const batch = ids.map((id, index) => productViewed(id, anonymousId, index))
    await sendBatch(poster, `${name}-${n}`, batch)
    acknowledged.push(machineClock.now() - intendedAt)
  })
  const effect = openLoop({ perSecond: EFFECTS_PER_SECOND, seconds }, async (n, intendedAt) => {
    const anonymousId = `${name}-newcomer-${n}`
    const id = `${name}-effect-${n}`
    const { position } = await sendBatch(poster, id, [productViewed(id, anonymousId, n)])
    for (;;) {
      const { body } = await poster.post('/v1/slots', { anonymousId, slots: [{ id: SLOT_ID }], after: position })
      const [decision] = (body as SlotsAnswer).decisions
      if (decision?.items[0]?.contentId === contentFor(n)) break
      if (machineClock.now() - intendedAt > DEADLINE_MS) throw new Error(`no effect in time: ${JSON.stringify(body)}`)
      askedAgain++
    }
    effects.push(machineClock.now() - intendedAt)
  })
  await Promise.all([stream, effect])
  const deadline = machineClock.now() + DEADLINE_MS
  while (rows.waitingFor() > 0) {
    if (machineClock.now() > deadline) throw new Error(`${rows.waitingFor()} messages are not visible in time`)
    await machineClock.sleep(50)
  }
  return { acknowledged, effects, askedAgain }
}

async function sendBatch(poster: Poster, batchId: string, batch: object[]): Promise<BatchAnswer> {
  const { status, body } = await poster.post('/v1/batch', { batchId, batch })
  if (status !== 200) throw new Error(`a batch was answered ${status}: ${JSON.stringify(body)}`)
  return body as BatchAnswer
}

interface Measured {
  acknowledged: number[]
  effects: number[]
  visible: number[]
  betweenAnswers: number[]
  askedAgain: number
}

function report({ acknowledged, effects, visible, betweenAnswers, askedAgain }: Measured): string {
  const baseline = percentile(acknowledged, 0.99)
  const row = (what: string, values: number[], aim: string) => [
    what,
    whole(values.length),
    milliseconds(percentile(values, 0.5)),
    milliseconds(percentile(values, 0.99)),
    aim,
    (percentile(values, 0.99) / baseline).toFixed(1),
  ]
  const header = ['from track() to', 'samples', 'p50 ms', 'p99 ms', 'aim, p99 ms', 'p99 ÷ p99 acknowledged']
  return `## Freshness: ${EVENTS_PER_SECOND} events/s for ${SECONDS} s

${markdownTable(header, [
  row('acknowledged (baseline)', acknowledged, ''),
  row('counts in /v1/slots', effects, '50'),
  row('row visible in ClickHouse', visible, '1,500'),
])}

ClickHouse was asked every ${milliseconds(percentile(betweenAnswers, 0.5))} ms (p99 ${milliseconds(percentile(betweenAnswers, 0.99))}): \
rows were visible up to that much earlier. Slots that had to be asked again because the event did not count yet: ${askedAgain}.`
}
