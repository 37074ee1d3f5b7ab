import { DEFAULT_FEATURES, suspicionOf } from '@slotstream/core'
import type { StoredMessage } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { programsSql } from '#aggregator/clickhouse/programs.js'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { draftFeatures, emptyStates } from '#core/features/state/reduce.js'
import { createRandom } from '../chaos/random.js'
import { startClickHouse } from './warehouse-world.js'

const START = Date.UTC(2026, 5, 10)
const MINUTE = 60_000
const random = createRandom(3)

type Fields = Partial<StoredMessage> & { at: number }

const page = (at: number, more: Partial<StoredMessage> = {}): Fields => ({ at, type: 'page', ...more })
const track = (event: string, at: number, properties = {}): Fields => ({ at, type: 'track', event, properties })
const pages = (count: number, everyMs: number, from = START) =>
  Array.from({ length: count }, (_, n) => page(from + n * everyMs))
const click = track('Product Clicked', START + 90 * MINUTE)
const crawler = { context: { bot: { reason: 'user_agent', match: 'Googlebot', crawler: 'Googlebot' } } } as const

/** Pages at times without a memory, so many a minute. */
function reading(count: number, aMinute: number): Fields[] {
  let at = START
  return Array.from({ length: count }, () => {
    at += Math.round((-Math.log(1 - random.next()) * MINUTE) / aMinute)
    return page(at)
  })
}

/** What browsers did, and by which rules that is a program's. */
const BROWSERS: Record<string, [Fields[], string[]]> = {
  reader: [[...pages(20, MINUTE), click], []],
  named: [[page(START, crawler)], ['crawler']],
  fast: [pages(150, 1_000), ['rate']],
  'all-night': [pages(121, 6 * MINUTE).map(one => ({ ...one, context: { sessionId: 's' } })), ['endless']],
  steady: [pages(600, MINUTE), ['regular']],
  'steady-clicks': [[...pages(600, MINUTE), click], []],
  'steady-active': [[...pages(600, MINUTE), track('Page Engaged', START + 5 * MINUTE, { activeMs: 900 })], []],
  'steady-idle': [[...pages(600, MINUTE), track('Page Engaged', START + 5 * MINUTE, { activeMs: 0 })], ['regular']],
  // Thirteen tiles and a bit, the first of which is left out; then one fewer.
  'just-long': [pages(13 * 24, MINUTE, START + MINUTE), ['regular']],
  'just-short': [pages(12 * 24, MINUTE, START + MINUTE), []],
  slow: [pages(110, 4 * MINUTE), []],
  'with-a-break': [[...pages(200, MINUTE), ...pages(200, MINUTE, START + 260 * MINUTE)], []],
  many: [reading(600, 1), []],
}

let clickhouse: Awaited<ReturnType<typeof startClickHouse>>

beforeAll(async () => {
  clickhouse = await startClickHouse()
  await migrate(clickhouse.client, await readMigrations())
  const values = Object.entries(BROWSERS).flatMap(([browser, [messages]]) =>
    messages.map(({ at, type, event = '', properties = {}, context = {} }, n) => ({
      ...{ site_id: 'shop', message_id: `${browser}-${n}`, anonymous_id: browser, type, event, properties, context },
      session_id: context.sessionId ?? '',
      timestamp: new Date(at).toISOString().replace('T', ' ').replace('Z', ''),
    })),
  )
  await clickhouse.client.insert({ table: 'slotstream.events', values, format: 'JSONEachRow' })
}, 240_000)
afterAll(() => clickhouse?.stop())

describe('browsers that the tables say are programs', () => {
  it('are those that their profiles say it of', async () => {
    const result = await clickhouse.client.query({
      query: `SELECT anonymous_id FROM ${programsSql("timestamp >= '2026-06-01'")} ORDER BY anonymous_id`,
      query_params: { site: 'shop' },
      format: 'JSONEachRow',
    })
    const found = (await result.json<{ anonymous_id: string }>()).map(row => row.anonymous_id)
    const flagged = Object.entries(BROWSERS).flatMap(([browser, [, reasons]]) => (reasons.length > 0 ? [browser] : []))
    expect(found).toEqual(flagged.sort())
    const view = await clickhouse.client.query({
      query: `SELECT anonymous_id, crawler FROM slotstream.programs WHERE site_id = 'shop' ORDER BY anonymous_id`,
      format: 'JSONEachRow',
    })
    const expected = flagged.map(browser => ({ anonymous_id: browser, crawler: browser === 'named' ? 1 : 0 }))
    expect(await view.json()).toEqual(expected)
    for (const [browser, [messages, reasons]] of Object.entries(BROWSERS)) {
      const draft = draftFeatures(emptyStates(0), DEFAULT_FEATURES)
      for (const { at, ...fields } of messages)
        draft.add({ messageId: `m${at}`, type: 'page', timestamp: new Date(at).toISOString(), ...fields }, at)
      expect([browser, suspicionOf(draft.soFar(), DEFAULT_FEATURES).reasons]).toEqual([browser, reasons])
    }
  })
})
