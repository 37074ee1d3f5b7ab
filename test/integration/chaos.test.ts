import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSender } from '../support/sender.js'
import { type PartName, type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

let system: System

beforeAll(async () => {
  system = await startSystem()
})

afterAll(async () => {
  await system?.stop()
})

describe('SIGKILL of every part, one after the other, under 200 events a second', () => {
  it('leaves every acknowledged message in events exactly once, and slots keep answering', async () => {
    const sender = createSender(system.collectorUrl, 'demo')
    const sending = sender.send({ eventsPerSecond: 200, batchSize: 10, visitors: 20 })
    const slots = askForSlots(system.collectorUrl)
    const victims: PartName[] = ['collector', 'aggregator', 'warehouse', 'clickhouse', 'nats-server']
    for (const victim of victims) {
      await pause(1_500)
      const before = await system.pidOf(victim)
      await system.kill(victim)
      await until(
        `${victim} runs again`,
        () => system.pidOf(victim),
        pid => pid !== before,
      )
      await pause(2_500)
    }
    sender.stop()
    await sending
    slots.stop()
    expect(sender.unacknowledged()).toBe(0)

    const acknowledged = sender.acknowledged()
    expect(acknowledged.size).toBeGreaterThan(1_000)
    const stored = await until(
      'every acknowledged message is in events',
      () =>
        system.query<{ message_id: string; n: number }>(
          "SELECT message_id, count() AS n FROM slotstream.events WHERE event = 'Product Viewed' GROUP BY message_id",
        ),
      rows => rows.length >= acknowledged.size,
      { timeoutMs: 60_000, everyMs: 500 },
    )
    expect(stored.filter(row => row.n !== 1)).toEqual([])
    const ids = new Set(stored.map(row => row.message_id))
    expect([...acknowledged].filter(id => !ids.has(id))).toEqual([])

    // Recovered by itself: a fresh request is served again, and sees what was tracked with it.
    await until('slots are served again', slots.ask, outcome => outcome === 'served')
    const { answered, outcomes } = await slots.done
    expect(answered).toBeGreaterThan(50)
    expect(outcomes.get('served')).toBeGreaterThan(0)
  })
})

/** Asks for a slot again and again, as pages do. Only a collector that is down leaves a request without an answer. */
function askForSlots(collectorUrl: string) {
  let stopped = false
  const outcomes = new Map<string, number>()
  const ask = async (): Promise<string> => {
    const response = await fetch(`${collectorUrl}/v1/slots?writeKey=demo`, {
      method: 'POST',
      body: JSON.stringify({ anonymousId: 'asker', slots: [{ id: 'hero' }] }),
      signal: AbortSignal.timeout(5_000),
    })
    const { decisions } = (await response.json()) as { decisions: { outcome: string }[] }
    return decisions[0]!.outcome
  }
  const done = (async () => {
    let answered = 0
    while (!stopped) {
      const outcome = await ask().catch(() => 'collector away')
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      if (outcome !== 'collector away') answered++
      await pause(50)
    }
    return { answered, outcomes }
  })()
  return {
    ask,
    done,
    stop() {
      stopped = true
    },
  }
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
