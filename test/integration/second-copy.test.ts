import { clickHouseUrl } from '@slotstream/runtime'
import { afterAll, expect, it } from 'vitest'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const UNSET = { AGGREGATOR_PORT: '', WAREHOUSE_PORT: '', NATS_PORT: '', CLICKHOUSE_PORT: '' }

const copies: System[] = []
afterAll(() => Promise.all(copies.map(copy => copy.stop())))

const eventsOf = async (system: System) =>
  (await system.query<{ event: string }>('SELECT event FROM slotstream.events')).map(({ event }) => event)

it('starts a second copy beside a first with nothing but a data folder and PORT of its own', async () => {
  const first = await startSystem(UNSET)
  copies.push(first)
  const second = await startSystem(UNSET)
  copies.push(second)
  for (const variable of Object.keys(UNSET))
    expect(second.output()).toMatch(new RegExp(`port \\d+ is taken: ${variable} is \\d+ this time`))
  expect(second.output()).not.toMatch(/: PORT is/)
  expect(second.clickhouseUrl).not.toBe(first.clickhouseUrl)

  for (const [index, copy] of copies.entries()) {
    const event = `of copy ${index}`
    const response = await fetch(`${copy.collectorUrl}/v1/track`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa('demo:')}` },
      body: JSON.stringify({ anonymousId: 'visitor', event }),
    })
    expect(response.status).toBe(200)
    const rows = () => eventsOf(copy)
    expect(await until('a row', rows, found => found.length > 0)).toEqual([event])
    // As commands in the same data folder find it.
    expect(clickHouseUrl({ DATA_DIR: copy.dataDir })).toBe(copy.clickhouseUrl)
  }
})
