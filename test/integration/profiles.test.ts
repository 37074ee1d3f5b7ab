import { startProfiles } from '@slotstream/aggregator'
import { connectNats, createLog, createMetrics, createPublisher, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_TOKEN, startBroker } from '../support/collector.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'

const log = createLog('test')
log.level = 'silent'

/** A profile as the admin API answers it. */
interface Answer {
  person: { id: string; userId: string; browsers: string[] }
  features: Record<string, { value: unknown; version: string; ageMs: number; since?: number; filling?: true }>
  segments: string[]
  signals: string[]
}

/** A process with the role profiles, which shares the partitions with others. */
async function startOwner(url: string, name: string) {
  const nats = await connectNats(url, 'aggregator', log)
  const installation = await provision(nats, sharedSettings({ PARTITIONS: '8' }), log)
  const publisher = createPublisher(nats)
  const parts = { nats, publisher, installation, metrics: createMetrics(), log }
  const profiles = await startProfiles({ ...parts, identity: someIdentity(name) })
  return {
    profiles,
    async stop() {
      await profiles.stop()
      publisher.close()
      await nats.close()
    },
  }
}

describe('profiles of persons, shared by two processes', () => {
  let broker: Awaited<ReturnType<typeof startBroker>>
  let owners: Awaited<ReturnType<typeof startOwner>>[] = []
  let collector: string
  let messages = 0

  beforeAll(async () => {
    broker = await startBroker()
    collector = await broker.collector()
    owners = await Promise.all([startOwner(broker.url, 'one'), startOwner(broker.url, 'two')])
    await until(
      'both hold some partitions',
      () => owners.map(({ profiles }) => profiles.applied().length),
      held => held.every(count => count > 0) && held.reduce((sum, count) => sum + count, 0) === 8,
    )
    await admin('PUT', '', { name: 'Shop', writeKeys: ['shop'], secretKeys: ['0123456789abcdef'], allowedOrigins: [] })
    await admin('PUT', '/features', {
      features: [
        {
          name: 'views',
          source: { event: 'Product Viewed', where: { 'properties.price': { $gt: 10 } } },
          by: 'properties.category',
          aggregate: 'count',
        },
        { name: 'city', off: true },
      ],
    })
    await admin('PUT', '/segments', {
      segments: [
        { name: 'wants-camping', where: { 'features.views.camp': { $gte: 2 } } },
        { name: 'known-camper', where: { segments: { $in: ['wants-camping'] }, 'traits.plan': 'pro' } },
      ],
    })
    // The definitions are in effect where a profile has them.
    await send({ anonymousId: 'first', type: 'page' })
    await profile('first', ({ features }) => 'views' in features)
  })
  afterAll(async () => {
    await Promise.all(owners.map(owner => owner.stop()))
    await broker?.stop()
  })

  async function admin(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${collector}/v1/admin/sites/shop${path}`, {
      method,
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer = await response.json()
    if (!response.ok && response.status !== 404 && response.status !== 503)
      throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
    return response.ok ? answer : undefined
  }

  const send = (...batch: Record<string, unknown>[]) => sendBy('shop', ...batch)

  async function sendBy(writeKey: string, ...batch: Record<string, unknown>[]): Promise<void> {
    const named = batch.map(message => ({ messageId: `m${++messages}`, ...message }))
    const response = await fetch(`${collector}/v1/batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ writeKey, batch: named }),
    })
    expect(await response.json()).not.toHaveProperty('rejected.0')
  }

  /** Reads a profile until it is as expected. */
  const profile = (visitorId: string, isAsExpected: (answer: Answer) => boolean) =>
    until(
      `the profile of ${visitorId}`,
      async () => (await admin('GET', `/profiles/${encodeURIComponent(visitorId)}`)) as Answer | undefined,
      answer => answer !== undefined && isAsExpected(answer),
    ) as Promise<Answer>

  const viewed = (anonymousId: string, category: string, more: object = {}) => ({
    type: 'track',
    event: 'Product Viewed',
    anonymousId,
    properties: { category, price: 20 },
    ...more,
  })

  it('counts declared features where their condition holds, each message once', async () => {
    await send(viewed('anna', 'camp'), { ...viewed('anna', 'camp'), properties: { category: 'camp', price: 5 } })
    await send(viewed('anna', 'home', { messageId: 'again' }), viewed('anna', 'home', { messageId: 'again' }))
    await send(viewed('anna', 'home', { messageId: 'again' }), viewed('anna', 'camp', { messageId: 'last' }))
    const { features, segments, person } = await profile('anna', ({ features: all }) => {
      const { camp } = all.views!.value as Record<string, number>
      return camp === 2
    })
    expect(features.views!.value).toEqual({ camp: 2, home: 1 })
    expect(features.recent_products!.value).toEqual([])
    expect(features.category_affinity!.value).toMatchObject({ camp: expect.closeTo(3, 1), home: expect.closeTo(1, 1) })
    expect(features).not.toHaveProperty('city')
    expect(features.views!.ageMs).toBeLessThan(10_000)
    expect(segments).toEqual(['wants-camping'])
    expect(person).toEqual({ id: 'anna', userId: '', browsers: ['anna'] })
  })

  it('folds the browsers of a user into one person, whichever of them is asked for', async () => {
    await send(viewed('laptop', 'camp'), {
      type: 'identify',
      anonymousId: 'laptop',
      userId: 'ann',
      traits: { plan: 'pro' },
    })
    await send({ type: 'identify', anonymousId: 'phone', userId: 'ann' }, viewed('phone', 'camp', { userId: 'ann' }))
    for (const visitorId of ['laptop', 'phone', 'user:ann']) {
      const { person, features, segments } = await profile(
        visitorId,
        answer => (answer.features.views?.value as Record<string, number> | undefined)?.camp === 2,
      )
      expect(person).toEqual({ id: 'ann', userId: 'ann', browsers: ['laptop', 'phone'] })
      expect(features.views!.value).toEqual({ camp: 2 })
      expect(segments).toContain('wants-camping')
    }
    expect((await profile('laptop', () => true)).segments).toEqual(['wants-camping', 'known-camper'])
  })

  it('keeps two users of one browser apart', async () => {
    await send(viewed('tablet', 'camp', { userId: 'cleo' }), viewed('tablet', 'home', { userId: 'dan' }))
    const views = async (userId: string) => (await profile(`user:${userId}`, found)).features.views!.value
    const found = (answer: Answer) => Object.keys(answer.features.views!.value as object).length > 0
    expect(await views('cleo')).toEqual({ camp: 1 })
    expect(await views('dan')).toEqual({ home: 1 })
  })

  it.each([
    ['kiosk', 'test'],
    ['null', 'null'],
  ])('joins nobody by an id that many clients send for want of one: %s', async (name, userId) => {
    await send(viewed(`${name}1`, 'camp', { userId }), viewed(`${name}2`, 'home', { userId }))
    const { person, features } = await profile(
      `${name}1`,
      answer => Object.keys(answer.features.views!.value as object).length > 0,
    )
    expect(person).toEqual({ id: `${name}1`, userId: '', browsers: [`${name}1`] })
    expect(features.views!.value).toEqual({ camp: 1 })
  })

  it('answers many profiles at once, in the order of the request', async () => {
    const { profiles } = (await admin('POST', '/profiles:batch', { visitors: ['laptop', 'nobody', 'anna'] })) as {
      profiles: (Answer | null)[]
    }
    expect(profiles.map(answer => answer?.person.id ?? null)).toEqual(['ann', null, 'anna'])
    await expect(admin('POST', '/profiles:batch', { visitors: ['x', 7] })).rejects.toThrow('400')
  })

  it('counts a feature that is declared later with all messages of before, and says until when it does not', async () => {
    const { features } = (await admin('GET', '/features')) as { features: object[] }
    const later = { name: 'homes', source: { event: 'Product Viewed' }, by: 'properties.category', aggregate: 'count' }
    await admin('PUT', '/features', { features: [...features, later] })
    await profile('anna', answer => 'homes' in answer.features)
    await send(viewed('anna', 'home'), viewed('berta', 'home'))
    const isFilled = ({ features: { homes } }: Answer) =>
      !homes!.filling && (homes!.value as Record<string, number>).home !== undefined
    const anna = await profile('anna', isFilled)
    // One of them at a price that the other feature leaves out.
    expect(anna.features.homes!.value).toEqual({ camp: 3, home: 2 })
    expect(anna.features.homes).not.toHaveProperty('since')
    expect(anna.features.views!.value).toEqual({ camp: 2, home: 2 })
    expect(anna.features.views).not.toHaveProperty('since')
    const berta = await profile('berta', isFilled)
    expect(berta.features.homes!.value).toEqual({ home: 1 })
    expect(berta.features.homes).not.toHaveProperty('since')
    for (const visitorId of ['laptop', 'phone', 'user:ann']) {
      const { features: ofPerson } = await profile(visitorId, () => true)
      expect(ofPerson.homes!.value).toEqual({ camp: 2 })
    }
  })

  it('previews a segment by what serves: how many persons, who is in, and who nearly is', async () => {
    const preview = async (where: object) =>
      (await admin('POST', '/segments/preview', { where })) as {
        size: number
        in: string[]
        nearest: { id: string; misses: string[] }[]
      }
    const where = { 'features.views.camp': { $gte: 2 } }
    expect(await preview(where)).toEqual({
      size: 2,
      in: ['ann', 'anna'],
      nearest: expect.arrayContaining([
        { id: 'cleo', misses: [expect.stringContaining('features.views.camp is 1')] },
        { id: 'kiosk1', misses: [expect.stringContaining('features.views.camp')] },
      ]),
    })
    expect(await preview({ segments: { $in: ['known-camper'] } })).toMatchObject({ size: 1, in: ['ann'] })
    const all = await preview({ 'profile.events': { $gte: 1 } })
    expect(all).toEqual({ size: all.in.length, in: all.in, nearest: [] })
    const browsers = ['kiosk1', 'kiosk2', 'null1', 'null2']
    expect(all.in).toEqual(['ann', 'anna', 'berta', 'cleo', 'dan', 'first', ...browsers])
    await expect(preview({ 'features.vews': { $gte: 2 } })).rejects.toThrow('did you mean \\"views\\"')
    await expect(admin('POST', '/segments/preview', {})).rejects.toThrow('400')
  })

  it('explains definitions that are in effect', async () => {
    expect(await admin('GET', '/features/views/explain')).toMatchObject({ name: 'views', evaluated: 'request' })
    expect(await admin('GET', '/features/page_views/explain')).toMatchObject({ builtin: true, state: { slots: 1 } })
    expect(await admin('GET', '/patterns/cart_abandonment/explain')).toMatchObject({
      evaluated: 'stream',
      builtin: true,
    })
    const { cost } = (await admin('GET', '/segments/known-camper/explain')) as { cost: object }
    expect(cost).toMatchObject({ segments: ['wants-camping'] })
    for (const path of ['/features/city', '/segments/nothing'])
      expect(await admin('GET', `${path}/explain`)).toBe(undefined)
  })

  const merges = async (id: string) =>
    (
      (await admin('GET', `/people/${encodeURIComponent(id)}/merges`)) as {
        merges: { mergeId: string; browser: string; userId: string; cause: string; at: string; state: string }[]
      }
    ).merges

  it('lists the merges of a person, whichever id is asked for, and those that a guard holds back', async () => {
    const ofUser = await merges('ann')
    expect(ofUser.map(({ browser, userId, cause, state }) => [browser, userId, cause, state])).toEqual([
      ['laptop', 'ann', 'identify', 'joined'],
      ['phone', 'ann', 'identify', 'joined'],
    ])
    for (const merge of ofUser) {
      expect(merge.mergeId).toMatch(/^[\w-]{22}$/)
      expect(Date.parse(merge.at)).toBeGreaterThan(Date.now() - 600_000)
    }
    for (const id of ['user:ann', 'phone']) expect(await merges(id)).toEqual(ofUser)
    expect(((await admin('GET', '/people/ann/merges?as=anonymousId')) as { merges: object[] }).merges).toEqual([])
    expect(await merges('nobody')).toEqual([])
    for (const [browser, userId] of Object.entries({ kiosk1: 'test', null1: 'null' })) {
      const held = { browser, userId, state: 'held', cause: 'shared_id' }
      expect(await merges(browser)).toMatchObject([held])
      expect(await merges(userId)).toContainEqual(expect.objectContaining(held))
    }
  })

  const APART = {
    laptop: { person: { id: 'ann', userId: 'ann', browsers: ['laptop'] }, views: { camp: 1 } },
    phone: { person: { id: 'phone', userId: '', browsers: ['phone'] }, views: { camp: 2 } },
  }
  const isApart = async () => {
    for (const [visitorId, expected] of Object.entries(APART)) {
      const { person, features } = await profile(
        visitorId,
        answer => answer.person.browsers.length === 1 && viewsOf(answer).camp === expected.views.camp,
      )
      expect(person).toEqual(expected.person)
      expect(features.views!.value).toEqual(expected.views)
    }
    expect((await profile('user:ann', () => true)).person).toEqual(APART.laptop.person)
  }
  const viewsOf = ({ features }: Answer) => features.views!.value as Record<string, number>

  it('keeps both sides of a merge apart once it is undone, whatever the browser says later', async () => {
    const { mergeId } = (await merges('ann')).find(({ browser }) => browser === 'phone')!
    await expect(admin('DELETE', `/people/ann/merges/${mergeId}`, { cuase: 'x' })).rejects.toThrow('cause')
    await expect(admin('PUT', `/people/ann/merges/${mergeId}`, { state: 'held' })).rejects.toThrow('joined')
    expect(await admin('DELETE', `/people/ann/merges/${'x'.repeat(22)}`)).toBeUndefined()
    const undone = await admin('DELETE', `/people/ann/merges/${mergeId}`, { cause: 'a shared phone' })
    expect(undone).toMatchObject({ mergeId, browser: 'phone', userId: 'ann', state: 'undone', cause: 'a shared phone' })
    await send(viewed('phone', 'camp', { userId: 'ann' }))
    await isApart()
    expect(await merges('phone')).toEqual([undone])
    // Once more, without a reason.
    await admin('DELETE', `/people/phone/merges/${mergeId}`)
    await until(
      'the later decision',
      () => merges('ann'),
      all => all.some(({ cause }) => cause === 'administrator'),
    )
  })

  it('counts the history of a feature apart for both sides of a merge that was undone', async () => {
    const { features } = (await admin('GET', '/features')) as { features: object[] }
    const later = { name: 'seen', source: { event: 'Product Viewed' }, by: 'properties.category', aggregate: 'count' }
    await admin('PUT', '/features', { features: [...features, later] })
    for (const [visitorId, { views }] of Object.entries(APART)) {
      const { seen } = (await profile(visitorId, answer => 'seen' in answer.features && !answer.features.seen!.filling))
        .features
      expect([visitorId, seen!.value]).toEqual([visitorId, views])
    }
  })

  it('holds the same after its partitions moved to another process', async () => {
    const before = await profile('laptop', () => true)
    await owners.pop()!.stop()
    const after = await profile('laptop', () => true)
    expect(after.person).toEqual(before.person)
    expect(after.features.views).toEqual({ ...before.features.views, ageMs: after.features.views!.ageMs })
    await isApart()
  })

  it('joins a browser and a user again that an administrator allows', async () => {
    const { mergeId } = (await merges('ann')).find(({ browser }) => browser === 'phone')!
    await admin('PUT', `/people/ann/merges/${mergeId}`, { state: 'joined' })
    for (const visitorId of ['laptop', 'phone', 'user:ann']) {
      const { person, features } = await profile(visitorId, answer => viewsOf(answer).camp === 3)
      expect(person).toEqual({ id: 'ann', userId: 'ann', browsers: ['laptop', 'phone'] })
      expect(features.views!.value).toEqual({ camp: 3 })
    }
  })

  it('joins the browser that the alias of a server names, and takes it out again', async () => {
    await send(viewed('p1', 'camp'))
    await sendBy('0123456789abcdef', { type: 'alias', userId: 'newu', previousId: 'p1' })
    for (const visitorId of ['user:newu', 'p1']) {
      const { person, features } = await profile(
        visitorId,
        answer => answer.person.userId === 'newu' && answer.features.views !== undefined && viewsOf(answer).camp === 1,
      )
      expect(person).toEqual({ id: 'newu', userId: 'newu', browsers: ['p1'] })
      expect(features.views!.value).toEqual({ camp: 1 })
    }
    const [merge, ...others] = await merges('newu')
    expect(others).toEqual([])
    expect(merge).toMatchObject({ browser: 'p1', userId: 'newu', cause: 'alias', state: 'joined' })
    await admin('DELETE', `/people/newu/merges/${merge!.mergeId}`)
    const { person } = await profile('p1', answer => answer.person.userId === '')
    expect(person).toEqual({ id: 'p1', userId: '', browsers: ['p1'] })
  })
})
