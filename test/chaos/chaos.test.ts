import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../support/until.js'
import { startClients } from './clients.js'
import { FAULTS } from './faults.js'
import { type ChaosInstallation, startInstallation } from './installation.js'
import { createRandom } from './random.js'
import { seconds, seed, timeLimitMs } from './settings.js'
import { setUpSite } from './site.js'
import { startAsking } from './slots-asker.js'
import { storm } from './storm.js'
import { verdict } from './verdict.js'

let installation: ChaosInstallation

beforeAll(async () => {
  console.log(`chaos: CHAOS_SEED=${seed} CHAOS_SECONDS=${seconds}`)
  installation = await startInstallation({ natsServers: 1 })
  await setUpSite(installation)
}, 180_000)

afterAll(async () => {
  await installation?.stop()
}, 120_000)

it(
  'whatever goes wrong: what was acknowledged is there once, and what derives from it is right',
  async () => {
    const random = createRandom(seed)
    const urls = installation.collectors.map(({ url }) => url)
    const clients = startClients(urls, createRandom(seed + 1))
    const asking = startAsking(urls)
    const happened = await storm(installation, FAULTS, random, { seconds })
    await clients.finish()
    await until('slots are served again', asking.ask, outcome => outcome === 'served', { timeoutMs: 60_000 })
    await asking.stop()
    const wrong = await verdict(installation, clients.acknowledged)
    console.log(`${happened.join('\n')}\n${JSON.stringify({ ...clients.counts(), slots: asking.outcomes })}`)
    if (wrong.length > 0) console.log(installation.logs())
    expect(wrong, `repeat it with CHAOS_SEED=${seed}`).toEqual([])
    expect(clients.counts().repeats).toBeGreaterThan(0)
    expect(asking.outcomes.served).toBeGreaterThan(0)
  },
  timeLimitMs,
)
