import { type ApplyRules, DEFAULT_FEATURES } from '@slotstream/core'
import type { Sender, StoredMessage } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createReadPerson } from '#aggregator/profiles/reads/read-persons.js'
import { MAX_STOPPED } from '#core/ledger/stopped.js'
import { createPeople } from '../../../core/patterns/people.js'

const START = Date.UTC(2026, 10, 1, 12)
const MINUTE = 60_000
const ORDER = 'Order Completed'
const timeOf = (minutes: number) => new Date(START + minutes * MINUTE).toISOString()
let ids = 0

/** Visitors of a site with content that orders end. Of Ann there are a phone, a laptop and a tablet shared with Ben. */
function createShop(rules: ApplyRules = { stopEvents: new Set([ORDER]) }) {
  const people = createPeople(undefined, rules)
  const readPerson = createReadPerson(async (_siteId, visitorIds) =>
    visitorIds.map(visitorId => ({ profile: people.profiles.get(visitorId), readAt: 0 })),
  )

  function send(anonymousId: string, userId: string, minutes: number, event: string, more: Sent = {}): void {
    const { sender, ...fields } = more
    const named = { ...(anonymousId && { anonymousId }), ...(userId && { userId }) }
    const message = { messageId: `m${ids++}`, type: 'track' as const, event, timestamp: timeOf(minutes) }
    people.send({ ...message, ...named, ...fields }, sender)
  }

  function serve(visitorId: string, minutes: number, ...contentIds: string[]): void {
    const items = contentIds.map((contentId, index) => ({ contentId, position: index + 1, stopAfter: ORDER }))
    const at = START + minutes * MINUTE
    const decision = { decisionId: `d${ids++}`, slotId: 'hero', at, sessionId: '', items, isOnlyCounted: true as const }
    people.put({ siteId: 'shop', visitorId, receivedAt: timeOf(minutes), served: [decision], messages: [] })
  }

  async function stopped(visitorId: string): Promise<string[]> {
    people.settle()
    const person = await readPerson(people.profiles.get(visitorId)!, DEFAULT_FEATURES)
    return [...new Set(person.stopped)].sort()
  }

  for (const [browser, user] of [
    ['phone', 'ann'],
    ['laptop', 'ann'],
    ['tablet', 'ann'],
    ['tablet', 'ben'],
    ['eve-phone', 'eve'],
  ] as const)
    send(browser, user, user === 'ben' ? 1 : 0, 'Seen')
  people.settle()
  return { people, send, serve, stopped }
}

type Sent = Partial<StoredMessage> & { sender?: Sender }

describe('content that an event ends', () => {
  it('is not shown again on any browser of the person, and goes on for others', async () => {
    const { send, serve, stopped } = createShop()
    serve('phone', 5, 'tent')
    serve('laptop', 6, 'boots')
    serve('eve-phone', 6, 'tent')
    send('laptop', 'ann', 10, ORDER)
    for (const browser of ['phone', 'laptop', 'user:ann']) expect(await stopped(browser)).toEqual(['boots', 'tent'])
    expect(await stopped('eve-phone')).toEqual([])
  })

  it('is shown again where it was shown after the event only, until the next one', async () => {
    const { send, serve, stopped } = createShop()
    send('laptop', '', 10, ORDER)
    serve('phone', 11, 'tent')
    expect(await stopped('phone')).toEqual([])
    send('laptop', '', 12, 'Seen')
    expect(await stopped('phone')).toEqual([])
    send('laptop', '', 12, ORDER)
    expect(await stopped('phone')).toEqual(['tent'])
  })

  it('stays ended when the decision is no longer kept', async () => {
    const { people, send, serve, stopped } = createShop()
    serve('phone', 5, 'tent')
    send('laptop', 'ann', 10, ORDER)
    send('phone', 'ann', 60 * 24 * 60, 'Seen')
    expect(await stopped('phone')).toEqual(['tent'])
    expect(people.profiles.get('phone')!.decisions).toBeUndefined()
  })

  it('is shown again once the browser of the event is taken out of the person, or deleted', async () => {
    const { people, send, serve, stopped } = createShop()
    serve('phone', 5, 'tent')
    send('laptop', 'ann', 10, ORDER)
    expect(await stopped('phone')).toEqual(['tent'])
    people.decide('laptop', 'ann', 'undone', START + 1)
    expect(await stopped('phone')).toEqual([])
    expect(await stopped('laptop')).toEqual([])
    people.decide('laptop', 'ann', 'joined', START + 2)
    expect(await stopped('phone')).toEqual(['tent'])
    people.profiles.delete('laptop')
    expect(await stopped('phone')).toEqual([])
  })

  it.each<[string, string, Sent, ApplyRules, string[]]>([
    ['of the other user of a shared browser', 'ben', {}, {}, []],
    ['of the person on it', 'ann', {}, {}, ['tent']],
    ['without a user, which is of the first one', '', {}, {}, ['tent']],
    ['under an id that is not signed', 'ann', { sender: 'unsigned' }, {}, []],
    ['of a crawler', 'ann', { context: { bot: { reason: 'user_agent', match: 'x', crawler: 'x' } } }, {}, []],
    [
      'of a crawler where they count',
      'ann',
      { context: { bot: { reason: 'user_agent', match: 'x', crawler: 'x' } } },
      { includesBots: true },
      ['tent'],
    ],
  ])('takes an event %s', async (_what, userId, more, rules, expected) => {
    const { send, serve, stopped } = createShop({ stopEvents: new Set([ORDER]), ...rules })
    serve('phone', 5, 'tent')
    send('tablet', userId, 10, ORDER, more)
    expect(await stopped('phone')).toEqual(expected)
  })

  it('leaves profiles of a site as they are that has none, and those of users, whose events are forwarded', () => {
    const { people, send } = createShop({})
    send('laptop', 'ann', 10, ORDER)
    people.settle()
    expect(people.profiles.get('laptop')).not.toHaveProperty('endings')
    const other = createShop()
    other.send('', 'ann', 10, ORDER, { sender: 'secret' })
    other.people.settle()
    expect(other.people.profiles.get('user:ann')).not.toHaveProperty('endings')
  })

  it('is bounded in a profile, the same in whatever order it was shown', () => {
    const contentIds = Array.from({ length: MAX_STOPPED + 20 }, (_, n) => `c${n}`)
    const kept = [contentIds, contentIds.toReversed()].map(all => {
      const { people, serve } = createShop()
      for (const id of all) serve('phone', 5, id)
      people.settle()
      return people.profiles.get('phone')!.shown!
    })
    expect(kept[0]).toHaveLength(MAX_STOPPED)
    expect(kept[1]).toEqual(kept[0])
  })

  it('is the same in whatever order messages arrive, and however often', async () => {
    const BROWSERS = ['phone', 'laptop', 'tablet', 'eve-phone'] as const
    const step = fc.record({
      browser: fc.constantFrom(...BROWSERS),
      user: fc.constantFrom('', 'own', 'ben'),
      minutes: fc.integer({ min: 2, max: 12 }),
      contentId: fc.constantFrom('tent', 'boots', undefined),
      times: fc.integer({ min: 1, max: 2 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        const { people, send, serve, stopped } = createShop()
        const events: { browser: string; userId: string; minutes: number }[] = []
        const shown = steps.filter(({ contentId }) => contentId !== undefined)
        for (const { browser, user, minutes, contentId, times } of steps) {
          const owner = browser === 'eve-phone' ? 'eve' : 'ann'
          const userId = user === 'ben' && browser === 'tablet' ? 'ben' : user === '' ? '' : owner
          if (contentId === undefined) events.push({ browser, userId: userId || owner, minutes })
          for (let time = 0; time < times; time++)
            if (contentId === undefined) send(browser, userId, minutes, ORDER, { messageId: `o${events.length}` })
            else serve(browser, minutes, contentId)
        }
        people.settle()
        for (const [asked, userId, browsers] of [
          ['phone', 'ann', ['phone', 'laptop', 'tablet']],
          ['user:ben', 'ben', ['tablet']],
          ['eve-phone', 'eve', ['eve-phone']],
        ] as const) {
          // What an event ends on its own browser follows from what that profile had by then.
          const own = browsers.flatMap(id => people.profiles.get(id)!.stopped ?? [])
          const elsewhere = shown.filter(({ browser, minutes }) =>
            events.some(
              event =>
                (browsers as readonly string[]).includes(browser) &&
                (browsers as readonly string[]).includes(event.browser) &&
                event.userId === userId &&
                event.browser !== browser &&
                event.minutes >= minutes,
            ),
          )
          const expected = [...new Set([...own, ...elsewhere.map(({ contentId }) => contentId!)])].sort()
          expect(await stopped(asked)).toEqual(expected)
        }
      }),
      { numRuns: 60 },
    )
  })
})
