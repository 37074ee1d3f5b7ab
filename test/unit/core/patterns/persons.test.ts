import { namesOfSignals } from '@slotstream/core'
import type { PatternDefinition, StoredMessage } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_TOLD_BROWSERS } from '#core/patterns/bounds.js'
import { compiled, END, MINUTE, message, run, START } from './found.js'
import { createPeople } from './people.js'

let ids = 0

/** A message of a browser and the user it names; '' for none. */
function from(anonymousId: string, userId: string, minutes: number, event: string, properties: object = {}) {
  const all = {
    ...message(`m${ids++}`, START + minutes * MINUTE, event, { properties: properties as Record<string, string> }),
    anonymousId,
    userId,
  }
  const { anonymousId: _none, ...nameless } = all
  const { userId: _nobody, ...unknown } = all
  return (anonymousId === '' ? nameless : userId === '' ? unknown : all) as StoredMessage
}

const cart = (browser: string, userId: string, minutes: number) =>
  from(browser, userId, minutes, 'Product Added', { cart_id: 'c1' })
const order = (browser: string, userId: string, minutes: number) =>
  from(browser, userId, minutes, 'Order Completed', { cart_id: 'c1' })

function peopleWith(...browsers: string[]) {
  const people = createPeople()
  for (const browser of browsers) people.send(from(browser, 'ann', 0, 'Seen'))
  people.settle()
  return people
}

/** What is found when everything has arrived and all times are over. */
function foundIn(people: ReturnType<typeof createPeople>) {
  people.settle()
  people.fire(END)
  people.settle()
  return people.found.map(({ signal, anonymousId, messageId, details }) => ({
    signal,
    anonymousId,
    messageId,
    ...(details.retracted === true && { retracted: true }),
  }))
}

describe('a cart of a person', () => {
  it('is left where no order follows: found once, with the browser that has it', () => {
    const people = peopleWith('phone', 'laptop')
    const put = cart('phone', 'ann', 1)
    people.send(put)
    expect(foundIn(people)).toEqual([{ signal: 'cart_abandonment', anonymousId: 'phone', messageId: put.messageId }])
  })

  it('is not left where a server sends the order with the user alone', () => {
    const people = peopleWith('phone')
    people.send(cart('phone', 'ann', 1))
    people.settle()
    people.send(order('', 'ann', 5), 'secret')
    expect(foundIn(people)).toEqual([])
  })

  it('is not left where the order comes from another browser, also one without a login since', () => {
    const people = peopleWith('phone', 'laptop')
    people.send(cart('phone', '', 1))
    people.settle()
    people.send(order('laptop', '', 5))
    expect(foundIn(people)).toEqual([])
  })

  it('is not left where the cart was filled before the login', () => {
    const people = peopleWith('laptop')
    people.send(cart('phone', '', 1))
    people.send(from('phone', 'ann', 2, 'Seen'))
    people.settle()
    people.send(order('laptop', 'ann', 5))
    expect(foundIn(people)).toEqual([])
  })

  it('is left from the browser that filled it last', () => {
    const people = peopleWith('phone', 'laptop')
    people.send(cart('phone', 'ann', 1))
    people.settle()
    const last = cart('laptop', 'ann', 10)
    people.send(last)
    expect(foundIn(people)).toEqual([{ signal: 'cart_abandonment', anonymousId: 'laptop', messageId: last.messageId }])
  })

  it('was not left where another browser tells so late: the signal is retracted by the one that emitted it', () => {
    const people = peopleWith('phone', 'laptop')
    const put = cart('phone', 'ann', 1)
    people.send(put)
    people.settle()
    people.fire(START + 31 * MINUTE)
    people.settle()
    people.send(order('laptop', 'ann', 20))
    const signal = { signal: 'cart_abandonment', anonymousId: 'phone', messageId: put.messageId }
    expect(foundIn(people)).toEqual([signal, { ...signal, retracted: true }])
    expect(people.profiles.get('phone')!.recentSignals).toEqual([])
  })
})

describe('two users of one browser', () => {
  const bought = [{ event: 'A' }, { event: 'B' }]
  const pairs = compiled([
    { name: 'both', sequence: bought },
    { name: 'here', sequence: bought, entity: 'visitor' },
  ])
  /** Signals of persons, each with the user whose it is. */
  const signedBy = (people: ReturnType<typeof createPeople>) => {
    foundIn(people)
    return people.found.map(({ signal, userId, anonymousId }) => [signal, anonymousId, userId])
  }

  it('leave their carts by themselves: the order of one does not end the cart of the other', () => {
    const people = createPeople()
    people.send([cart('tablet', 'ann', 1), order('tablet', 'ben', 2)])
    expect(signedBy(people)).toEqual([['cart_abandonment', 'tablet', 'ann']])
    const others = createPeople()
    for (const message of [from('tablet', 'ann', 0, 'Seen'), cart('tablet', 'ben', 1), order('tablet', 'ann', 2)]) {
      others.send(message)
      others.settle()
    }
    expect(signedBy(others)).toEqual([['cart_abandonment', 'tablet', 'ben']])
  })

  it('go through no sequence together, but where a pattern looks at the browser', () => {
    const people = createPeople(pairs)
    for (const message of [from('tablet', 'ann', 0, 'A'), from('tablet', 'ben', 1, 'B')]) people.send(message)
    expect(signedBy(people)).toEqual([['here', 'tablet', 'ben']])
    people.send([from('tablet', 'ben', 2, 'A'), from('tablet', 'ann', 3, 'B'), from('tablet', 'ben', 4, 'B')])
    expect(signedBy(people).filter(([signal]) => signal === 'both')).toEqual([
      ['both', 'tablet', 'ann'],
      ['both', 'tablet', 'ben'],
    ])
  })

  it('have what was done under no name with the first of them, as features do', () => {
    const people = createPeople(pairs)
    people.send([from('tablet', '', 0, 'A'), from('tablet', 'ann', 1, 'Seen'), from('tablet', 'ben', 2, 'B')])
    people.send([from('tablet', '', 3, 'B')])
    expect(signedBy(people).filter(([signal]) => signal === 'both')).toEqual([['both', 'tablet', 'ann']])
  })

  it('are told of what each of them does elsewhere', () => {
    const people = createPeople()
    people.send([from('tablet', 'ann', 0, 'Seen'), from('tablet', 'ben', 0, 'Seen')])
    people.send(from('laptop', 'ben', 0, 'Seen'))
    people.settle()
    people.send([cart('tablet', 'ann', 1), cart('tablet', 'ben', 1)])
    people.settle()
    people.send(order('laptop', 'ben', 5))
    expect(signedBy(people)).toEqual([['cart_abandonment', 'tablet', 'ann']])
  })

  it.each(['null', 'test', '__proto__'])('have nothing of what is done under %s', userId => {
    const people = createPeople(pairs)
    people.send([from('tablet', 'ann', 0, 'A'), from('tablet', userId, 1, 'B')])
    expect(signedBy(people).filter(([signal]) => signal === 'both')).toEqual([])
  })

  it('have signals of their own in conditions', () => {
    const people = createPeople(pairs)
    people.send([from('tablet', 'ann', 0, 'A'), from('tablet', 'ben', 1, 'A'), from('tablet', 'ben', 2, 'B')])
    people.settle()
    const tablet = people.profiles.get('tablet')!
    expect(namesOfSignals([tablet], ['ben'])).toEqual(['both', 'here'])
    expect(namesOfSignals([tablet], ['ann'])).toEqual([])
  })
})

describe('those who are not one person', () => {
  it('are told nothing: other users, and browsers without one', () => {
    const people = peopleWith('phone')
    people.send(from('laptop', 'ben', 0, 'Seen'))
    people.send(from('tablet', '', 0, 'Seen'))
    people.send(cart('phone', 'ann', 1))
    people.settle()
    people.send(order('laptop', 'ben', 2))
    people.send(order('tablet', '', 3))
    expect(foundIn(people).map(({ signal }) => signal)).toEqual(['cart_abandonment'])
  })

  it('are apart once an administrator took them apart, until they are joined again', () => {
    const people = peopleWith('phone', 'laptop')
    people.decide('laptop', 'ann', 'undone', START)
    people.settle()
    people.send(cart('phone', 'ann', 1))
    people.settle()
    people.send(order('laptop', 'ann', 5))
    expect(foundIn(people).map(({ anonymousId }) => anonymousId)).toEqual(['phone'])
    const again = peopleWith('phone', 'laptop')
    again.decide('laptop', 'ann', 'undone', START)
    again.decide('laptop', 'ann', 'joined', START + 1)
    again.send(cart('phone', 'ann', 1))
    again.settle()
    again.send(order('laptop', 'ann', 5))
    expect(foundIn(again)).toEqual([])
  })

  it('are apart where one side alone knows of it: the user does not believe the browser, nor the browser the user', () => {
    for (const side of ['laptop', 'user:ann']) {
      const people = peopleWith('phone', 'laptop')
      const change = {
        ...{ anonymousId: 'laptop', userId: 'ann' },
        decision: { state: 'undone' as const, at: START, cause: 'a test' },
      }
      people.put({
        ...{ siteId: 'shop', visitorId: side, receivedAt: new Date(START).toISOString() },
        ...{ identity: [change], messages: [] },
      })
      people.settle()
      people.send(cart('phone', 'ann', 1))
      people.settle()
      people.send(order('laptop', 'ann', 5))
      people.send(cart('laptop', 'ann', 6))
      people.settle()
      people.send(order('', 'ann', 7))
      // The order of the user's own is of the phone, and not of the laptop.
      expect(foundIn(people).map(({ anonymousId }) => anonymousId)).toEqual(['laptop'])
    }
  })

  it('are not joined by an id without its signature, nor told what is sent under it', () => {
    const people = peopleWith('phone', 'laptop')
    people.send(cart('phone', 'ann', 1))
    people.settle()
    people.send(order('laptop', 'ann', 5), 'unsigned')
    people.send(order('', 'ann', 5), 'unsigned')
    expect(foundIn(people).map(({ anonymousId }) => anonymousId)).toEqual(['phone'])
  })

  it('are held back by a guard', () => {
    const people = createPeople()
    people.send(from('phone', 'test', 0, 'Seen'))
    people.send(cart('phone', 'test', 1))
    people.settle()
    people.send(order('', 'test', 5))
    expect(foundIn(people).map(({ anonymousId }) => anonymousId)).toEqual(['phone'])
  })
})

describe('what is told', () => {
  it('changes nothing but patterns, and is told once however often it is sent', () => {
    const people = peopleWith('phone', 'laptop')
    const before = people.profiles.get('laptop')!
    const put = cart('phone', 'ann', 1)
    people.send(put)
    people.send(put)
    people.settle()
    const { seq: _seq, patterns, heard, ...others } = people.profiles.get('laptop')!
    const { seq: _before, patterns: _none, ...othersBefore } = before
    expect(others).toEqual(othersBefore)
    expect(heard).toHaveLength(1)
    expect(patterns!.of.cart_abandonment!.runs).toMatchObject([{ id: put.messageId, isTold: true }])
    expect(people.told()).toBe(2)
  })

  it('counts once, however many messages of a batch are told again together', () => {
    for (const [visitor, browser] of [
      ['phone', 'phone'],
      ['user:ann', ''],
    ] as const) {
      const people = createPeople(compiled([{ name: 'many', event: 'A', count: 131, within: '1h' }]))
      for (const each of ['phone', 'laptop']) people.send(from(each, 'ann', 0, 'Seen'))
      people.settle()
      people.send(Array.from({ length: 65 }, () => from(browser, 'ann', 1, 'A')))
      people.step(visitor, 2)
      people.settle()
      expect(people.profiles.get('laptop')!.heard).toHaveLength(65)
      people.send(from('laptop', 'ann', 2, 'A'))
      expect(foundIn(people)).toEqual([])
    }
  })

  it('is nothing where no pattern of persons looks, and nothing of a visitor without a user', () => {
    const people = peopleWith('phone', 'laptop')
    people.send(from('phone', 'ann', 1, 'page'))
    people.send(from('phone', 'ann', 1, 'Element Clicked', { selector: '#pay' }))
    people.send(cart('tablet', '', 1))
    people.settle()
    expect(people.told()).toBe(0)
  })

  it('goes to those browsers of which was heard last, up to a bound', () => {
    const browsers = Array.from({ length: MAX_TOLD_BROWSERS + 5 }, (_, index) => `b${index}`)
    const people = createPeople()
    for (const [index, browser] of browsers.entries()) people.send(from(browser, 'ann', index, 'Seen'))
    people.settle()
    people.send(cart('b0', 'ann', 50))
    people.settle()
    expect(people.told()).toBe(1 + MAX_TOLD_BROWSERS)
    people.send(order('', 'ann', 55))
    people.settle()
    expect(people.told()).toBe(1 + 2 * MAX_TOLD_BROWSERS)
    expect(foundIn(people)).toEqual([])
  })

  it('is of one user of a shared browser', () => {
    const people = peopleWith('phone', 'tablet')
    people.send(from('tablet', 'ben', 0, 'Seen'))
    people.send(from('laptop', 'ben', 0, 'Seen'))
    people.settle()
    people.send(cart('phone', 'ann', 1))
    people.send(cart('laptop', 'ben', 1))
    people.settle()
    people.send(order('tablet', 'ben', 5))
    expect(foundIn(people).map(({ anonymousId }) => anonymousId)).toEqual(['phone'])
  })
})

const key = 'properties.k'
const PATTERNS: PatternDefinition[] = [
  {
    name: 'absence',
    sequence: [
      { event: 'A', key },
      { not: { event: 'N', key }, within: '5m' },
    ],
  },
  { name: 'three', sequence: [{ event: 'A' }, { event: 'B' }, { event: 'C' }], within: '10m' },
  { name: 'between', sequence: [{ event: 'A' }, { not: { event: 'N' } }, { event: 'B' }], within: '12m' },
  { name: 'count', event: 'A', key, count: 3, within: '6m' },
  { name: 'sum', event: 'B', value: 'properties.v', sum: 10, within: '5m' },
  { name: 'quiet', event: 'B', count: 2, within: '6m', quiet: '5m' },
  { name: 'return', event: 'C', after: '4m' },
  { name: 'change', event: 'N', changed: key, within: '9m' },
]

/** Longer than all messages together: in whatever order they arrive, they do so within it. */
const set = compiled(PATTERNS.map(pattern => ({ ...pattern, grace: '1h' })))

describe('patterns of a person', () => {
  it('find the same as in the messages of one visitor, each once, however partitions interleave and repeat', () => {
    const sent = fc.record({
      minutes: fc.nat({ max: 30 }),
      event: fc.constantFrom('A', 'A', 'B', 'C', 'N'),
      browser: fc.constantFrom('phone', 'laptop', 'tablet', ''),
      isNamed: fc.boolean(),
      k: fc.constantFrom('x', 'y'),
      v: fc.nat({ max: 8 }),
    })
    const turns = fc.array(fc.tuple(fc.nat({ max: 20 }), fc.integer({ min: 1, max: 2 })), { maxLength: 60 })
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 14 }), turns, (all, order) => {
        const people = createPeople(set)
        for (const browser of ['phone', 'laptop', 'tablet']) people.send(from(browser, 'ann', 0, 'Seen'))
        people.settle()
        const messages = all.map(({ minutes, event, browser, isNamed, k, v }) =>
          from(browser, isNamed || browser === '' ? 'ann' : '', minutes, event, { k, v }),
        )
        const waiting = [...messages]
        for (const [turn, times] of order) {
          const next = turn % 4 === 0 ? waiting.shift() : undefined
          if (next) people.send(next)
          const visitors = people.visitors()
          people.step(visitors[turn % visitors.length]!, times)
        }
        for (const one of waiting) people.send(one)
        foundIn(people)
        const visitorOf = new Map(messages.map(({ messageId, anonymousId = '' }) => [messageId, anonymousId]))
        const inOrder = messages.toSorted(
          (a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp) || (a.messageId < b.messageId ? -1 : 1),
        )
        const expected = run(set, [...inOrder, { fireAt: END }]).found.map(({ pattern, messageId, at, details }) => [
          ...[pattern, messageId, new Date(at).toISOString(), visitorOf.get(messageId)],
          JSON.stringify(details),
        ])
        const found = people.found.map(({ signal, messageId, timestamp, anonymousId, details }) => [
          ...[signal, messageId, timestamp, anonymousId],
          JSON.stringify(details),
        ])
        expect(found.sort()).toEqual(expected.sort())
      }),
      { numRuns: 60 },
    )
  })
})
