import { CLICK_EVENTS, ENDLESS, RATE, REGULAR } from '@slotstream/core'
import { unitKeySql, visitorKeySql } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { resultsSql } from '#aggregator/results/results-sql.js'
import { readMigrations, statementsOf } from '#aggregator/warehouse/tables/migrate.js'

const REQUEST = { siteId: 'shop', slotId: 'hero', from: '2026-06-01T00:00:00Z', to: '2026-07-01T00:00:00Z' }
const plain = (sql: string) => sql.replace(/\s+/g, ' ')

describe('the queries of results', () => {
  it('tell browsers from users by the key that all else has, so that no browser is taken for a user', () => {
    const { arms, loss } = resultsSql(REQUEST)
    for (const query of [arms, loss]) {
      expect(query).toContain(`groupUniqArray(${visitorKeySql()}) AS visitors`)
      expect(query).toContain(`${visitorKeySql()} AS visitor, event`)
      expect(query).toContain(`${unitKeySql()} AS unit`)
    }
    expect(loss).toContain(`${visitorKeySql('anonymous_id', "''")} AS visitor, toFloat64(least(missing, captured))`)
  })

  it('take what pages say is missing for a share of what they sent, from 0 to 1', () => {
    expect(plain(resultsSql(REQUEST).loss)).toContain(
      'least(1, sum(lost_messages) / greatest(sum(all_messages), 1)) AS lost',
    )
  })

  const ORDERS = { event: 'Order Completed', value: 'properties.revenue' }
  const ofTraffic = (traffic: object) => resultsSql({ ...REQUEST, traffic: { ...ORDERS, ...traffic } })

  it('cut each amount, and what a person earned, to what rewards may be', () => {
    const arms = plain(ofTraffic({}).arms)
    expect(arms).toContain('greatest(-100000, least(100000, if(isFinite(')
    expect(arms).toContain(
      'greatest(-100000, least(100000, sumIf(amounts[1], event = {event0: String} AND at >= since))) AS earned0',
    )
  })

  it('count only what servers sent with a secret key, where a metric says so', () => {
    expect(ofTraffic({ from: 'secret' }).arms).toContain('event = {event0: String} AND at >= since AND is_secret)')
    expect(ofTraffic({}).arms).not.toContain('AND is_secret')
    expect(ofTraffic({}).arms).toContain("NOT (sender = 'unsigned' AND anonymous_id = '')")
  })

  it('have hours as a parameter', () => {
    const { arms, params } = ofTraffic({ windowHours: 24 })
    expect(arms).toContain('at < since + toIntervalHour({window0: UInt32})')
    expect(params).toMatchObject({ event0: 'Order Completed', window0: 24 })
  })

  it.each(['revenue', 'properties', 'version().x', 'properties.`x', 'properties..x', "properties.x'"])(
    'are not written with a path that is none: %s',
    value => {
      expect(() => ofTraffic({ value })).toThrow('a path must be one in properties or context')
    },
  )

  it('leave out browsers that seem to be programs, unless the site wants them, but audit their draws', () => {
    const { arms, loss, draws } = resultsSql(REQUEST)
    for (const query of [arms, loss]) {
      expect(query).toContain("(anonymous_id = '' OR anonymous_id NOT IN (")
      expect(query).toContain('isNotNull(context.bot.crawler)')
    }
    expect(draws).not.toContain('context.bot')
    expect(Object.values(resultsSql(REQUEST, true)).join()).not.toContain('context.bot')
  })
})

describe('the views of experiments', () => {
  it('count persons and leave out programs as results do', async () => {
    const statements = (await readMigrations()).flatMap(({ sql }) => statementsOf(sql))
    const newest = (view: string) =>
      statements.findLast(text => text.includes(`VIEW IF NOT EXISTS slotstream.${view} AS`))!
    for (const view of ['experiments', 'experiment_results']) expect(newest(view)).toContain(unitKeySql())
    const clicks = CLICK_EVENTS.map(event => `'${event}'`).join(', ')
    const slowest = `if(engaged, ${RATE.pageMs}, ${RATE.pageMsUnengaged})`
    for (const part of [
      `event IN (${clicks})`,
      `pages >= ${RATE.pages} AND ms < pages * ${slowest}`,
      `pages >= ${ENDLESS.pages} AND ms >= ${ENDLESS.ms} AND NOT engaged`,
      `HAVING count() >= ${Math.min(RATE.pages, ENDLESS.pages)}`,
      `+ ${REGULAR.tileMs - 1}, ${REGULAR.tileMs}) AS tile`,
      `HAVING count() >= ${REGULAR.tiles * REGULAR.pages}`,
      `tiles = ${REGULAR.tiles + 1} AND tile - first = ${REGULAR.tiles} AND NOT is_engaged`,
      `mean >= ${REGULAR.pages} AND variance <= ${REGULAR.dispersion} * mean`,
    ])
      expect(newest('programs')).toContain(part)
  })
})
