import { recompute } from '@slotstream/core'
import { type EventEnvelope, experimentsKey, keyToken, partitionOf } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { lastEvent } from '../support/last-event.js'
import { type DecidedShop, SITE, setUpDecidedShop, shownIn } from '../support/set-up-decided-shop.js'
import { until } from '../support/until.js'

let nats: DecidedShop['nats']
let installation: DecidedShop['installation']
let metrics: DecidedShop['metrics']
let profiles: DecidedShop['profiles']
const { put, ask, stored, recordsOf, track } = setUpDecidedShop(current => {
  ;({ nats, installation, metrics, profiles } = current)
})

describe('decisions over a catalog with targeting, caps and campaigns', () => {
  it('are as the site holds persons out, and as an experiment ended, at once', async () => {
    const { sites, definitions } = installation.buckets
    const site = (await sites.get(SITE))!.json<object>()
    let visitors = 0
    const hero = async () => (await ask(`asked-${++visitors}`, ['hero'])).decisions[0]!
    const isHeldOut = ({ outcome }: { outcome: string }) => outcome === 'holdout'
    await sites.put(SITE, JSON.stringify({ ...site, holdout: { share: 1, tag: 'all' } }))
    await until('all are held out', hero, isHeldOut)
    await sites.put(SITE, JSON.stringify(site))
    await until('nobody is held out', hero, decision => !isHeldOut(decision))
    const arms = [
      { id: 'as-it-is', share: 0.5 },
      { id: 'two', share: 0.5, contentIds: ['two'] },
    ]
    const stopped = { at: '2026-06-01T00:00:00Z', reason: 'better', arm: 'two' }
    const ended = [{ id: 'ended', slot: 'hero', arms, metrics: ['Slot Clicked'], stopped }]
    const key = experimentsKey(SITE)
    await definitions.put(key, JSON.stringify({ experiments: ended }))
    const five = async () => Promise.all(Array.from({ length: 5 }, hero))
    await until('all are shown the better arm', five, all =>
      all.every(({ items }) => items.length === 1 && items[0]!.contentId === 'two'),
    )
    await definitions.delete(key)
    await until('the slot chooses by itself', five, all => all.some(({ items }) => items[0]!.contentId !== 'two'))
  })

  it('shows content to those who meet its condition, none that is sold out or past, and says why', async () => {
    const seen = new Map<string, Set<string>>()
    for (let n = 0; n < 40; n++)
      for (const country of ['DE', 'FR']) {
        const { decisions: all } = await ask(`targeted-${n}`, ['hero'], { country })
        const ofCountry = seen.get(country) ?? new Set()
        seen.set(country, ofCountry.add(all[0]!.items[0]!.contentId))
        const excluded = [
          ...(country === 'FR'
            ? [{ contentId: 'far', reason: 'condition', detail: 'context.country is "FR", wanted "DE"' }]
            : []),
          { contentId: 'past', reason: 'ended' },
          { contentId: 'sold', reason: 'out_of_stock' },
        ]
        if (n === 0) expect(all[0]?.reason?.excluded).toEqual(excluded)
      }
    expect([...seen.get('DE')!].sort()).toEqual(['far', 'one', 'three', 'two'])
    expect([...seen.get('FR')!].sort()).toEqual(['one', 'three', 'two'])
  })

  it('repeats nothing across the slots of a request, whose order counts', async () => {
    for (let n = 0; n < 20; n++) {
      const [hero, teaser, again] = shownIn(await ask(`page-${n}`, ['hero', 'teaser', 'hero'], { country: 'FR' }))
      expect([hero!.length, teaser!.length, again!.length]).toEqual([1, 2, 0])
      expect(new Set([...hero!, ...teaser!]).size).toBe(3)
    }
    const [first, second, third] = await recordsOf('page-0')
    expect(first?.excluded.map(({ reason }) => reason)).not.toContain('repeated')
    expect(second?.excluded).toEqual([{ contentId: first!.contentIds[0], reason: 'repeated' }])
    expect(third).toMatchObject({ outcome: 'empty', contentIds: [] })
  })

  it('shows what has a cap of three three times, one request after the other and at once', async () => {
    const one = []
    for (let n = 0; n < 5; n++) one.push(...shownIn(await ask('patient', ['capped'])).flat())
    expect(one).toEqual(['offer', 'offer', 'offer', 'else', 'else'])
    const records = await recordsOf('patient')
    expect(records.at(-1)?.excluded).toEqual([{ contentId: 'offer', reason: 'capped', detail: '3 of 3 in 24h' }])

    const visitors = Array.from({ length: 10 }, (_, n) => `hasty-${n}`)
    await Promise.all(
      visitors.map(async visitorId => {
        const replies = await Promise.all(Array.from({ length: 8 }, () => ask(visitorId, ['capped', 'hero'])))
        const shown = replies.map(reply => shownIn(reply)[0]![0])
        expect(shown.filter(id => id === 'offer')).toHaveLength(3)
        expect(shown.filter(id => id === 'else')).toHaveLength(5)
      }),
    )
  })

  it('counts what the person was shown on another browser within two seconds', async () => {
    const traits = { userId: 'anna', type: 'identify' as const, traits: {} }
    await track('phone', traits)
    await track('laptop', traits)
    for (let n = 0; n < 2; n++) expect(shownIn(await ask('phone', ['capped']))).toEqual([['offer']])
    const excluded = await until(
      'the laptop knows what the phone showed, and itself',
      async () => (await ask('laptop', ['capped'])).decisions[0]?.reason?.excluded,
      reasons => reasons?.[0]?.reason === 'capped',
    )
    expect(Number(excluded?.[0]?.detail?.split(' ')[0])).toBeGreaterThanOrEqual(3)
  })

  it('does not show again what an event has stopped', async () => {
    await put('slot', 'ended', { policy: { type: 'fixed', contentIds: ['buy', 'thanks'] } })
    await put('content', 'buy', { slots: ['ended'], stopAfter: 'Order Completed' })
    await put('content', 'thanks', { slots: ['ended'] })
    const shown = async (visitorId: string) => shownIn(await ask(visitorId, ['ended'])).flat()
    await until(
      'it is shown',
      () => shown('any'),
      ids => ids[0] === 'buy',
    )
    expect(await shown('buyer')).toEqual(['buy'])
    await track('buyer', { event: 'Product Viewed' })
    expect(await shown('buyer')).toEqual(['buy'])
    await track('buyer', { event: 'Order Completed' })
    expect(await shown('buyer')).toEqual(['thanks'])
    expect((await recordsOf('buyer')).at(-1)?.excluded).toEqual([{ contentId: 'buy', reason: 'stopped' }])
  })

  it('does not show again what the person ended on another browser, and shows it to others', async () => {
    await put('slot', 'ended-by', { policy: { type: 'fixed', contentIds: ['ticket', 'seats', 'thanks'] } })
    await put('content', 'ticket', { slots: ['ended-by'], stopAfter: 'Ticket Bought' })
    await put('content', 'seats', { slots: ['ended-by'], stopAfter: 'Seats Bought' })
    await put('content', 'thanks', { slots: ['ended-by', 'ended'] })
    const shown = async (visitorId: string) => shownIn(await ask(visitorId, ['ended-by'])).flat()
    await until(
      'it is shown',
      () => shown('any'),
      ids => ids[0] === 'ticket',
    )
    const browsers = ['olga-phone', 'olga-laptop', 'otto-phone']
    const { partitions } = installation
    expect(new Set(browsers.map(id => partitionOf(SITE, id, partitions))).size).toBe(3)
    for (const id of browsers) await track(id, { type: 'identify', userId: id.split('-')[0]!, traits: {} })
    for (const id of browsers) expect(await shown(id)).toEqual(['ticket'])
    await track('olga-tablet', { event: 'Ticket Bought' })
    for (const id of browsers) expect(await shown(id)).toEqual(['ticket'])
    // Of a tablet that becomes hers, what she did on it before counts.
    await track('olga-tablet', { type: 'identify', userId: 'olga', traits: {} })
    for (const id of ['olga-phone', 'olga-laptop', 'olga-tablet'])
      await until(
        `it is shown no longer on ${id}`,
        () => shown(id),
        ids => ids[0] === 'seats',
      )
    expect((await recordsOf('olga-phone')).at(-1)?.excluded).toEqual([{ contentId: 'ticket', reason: 'stopped' }])
    await track('olga-laptop', { event: 'Seats Bought' })
    await until(
      'what the laptop ended is shown no longer on the phone',
      () => shown('olga-phone'),
      ids => ids[0] === 'thanks',
    )
    expect(await shown('olga-laptop')).toEqual(['thanks'])
    expect(await shown('otto-phone')).toEqual(['ticket'])
  })

  it('tells the profile of what has a cap, and of what a slot that learns shows, and of nothing else', async () => {
    await ask('told', ['hero'])
    expect(await stored('EVENTS', 'told')).toEqual([])
    const { decisions: all } = await ask('told', ['capped', 'hero', 'learns'], { daypart: 'morning' })
    const envelopes = await stored<EventEnvelope>('EVENTS', 'told')
    expect(envelopes).toHaveLength(1)
    const [capped, learns] = envelopes[0]!.served!
    expect(envelopes[0]).toMatchObject({ siteId: SITE, messages: [] })
    expect(capped).toMatchObject({
      decisionId: all[0]!.decisionId,
      isOnlyCounted: true,
      items: [{ contentId: 'offer' }],
    })
    expect(learns).toMatchObject({ decisionId: all[2]!.decisionId, slotId: 'learns', sessionId: 's1' })
    expect(learns).not.toHaveProperty('isOnlyCounted')
    expect(learns!.items.map(({ contentId }) => contentId)).toEqual(all[2]!.items.map(({ contentId }) => contentId))
    for (const { features } of learns!.items) expect(features!.length).toBeGreaterThan(8)
    const partition = partitionOf(SITE, 'told', installation.partitions)
    expect(await profiles.waitFor(partition, await lastEvent(nats, partition), 5_000)).toBe(true)
    const kept = (await profiles.profileOf(SITE, 'told'))?.decisions
    expect(new Set(kept?.map(({ decisionId }) => decisionId))).toEqual(
      new Set([all[0]!.decisionId, all[2]!.decisionId]),
    )
  })

  it('records what draws it again', async () => {
    await ask('again', ['learns', 'hero', 'capped'])
    const records = await recordsOf('again')
    expect(records).toHaveLength(3)
    for (const record of records) {
      expect(record).toMatchObject({ outcome: 'served', recordVersion: 3 })
      expect(record.latencyMs).toBeGreaterThanOrEqual(0)
      expect(recompute(record)).toMatchObject({ contentIds: record.contentIds, propensities: record.propensities })
    }
  })

  it('keeps serving the last good version of what was broken', async () => {
    await put('slot', 'safe', { policy: { type: 'fixed', contentIds: ['kept'] } })
    await put('content', 'kept', { slots: ['safe'] })
    const shown = () => ask('safe', ['safe']).then(reply => shownIn(reply).flat())
    await until('it is shown', shown, ids => ids[0] === 'kept')
    await installation.buckets.catalog.put(`${SITE}.content.${keyToken('kept')}`, 'not JSON')
    await put('slot', 'safe', { count: 'many' })
    await put('content', 'odd', { slots: ['safe'], where: { $nonsense: [] } })
    const refused = async () => /catalog_refused_total (\d+)/.exec(await metrics.registry.metrics())?.[1]
    await until('both are rejected', refused, count => count === '2')
    expect(await shown()).toEqual(['kept'])
    await installation.buckets.catalog.delete(`${SITE}.content.${keyToken('kept')}`)
    await until('it is gone', shown, ids => ids.length === 0)
  })
})
