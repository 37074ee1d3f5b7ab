import { compileSessionFeatures, countMessages, sessionValues } from '@slotstream/core/session'
import type { Json, StoredMessage, Visit } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { compileMessageCondition } from '#core/conditions/compile-message-condition.js'
import { publicFeatures } from '#core/definitions/public-features.js'
import { compileFeatures } from '#core/features/compile.js'
import { ALL_BUILT_IN_FEATURES } from '#core/features/default-features.js'
import { featureValues } from '#core/features/state/values.js'
import { applyEnvelope } from '#core/profile/apply.js'
import { ALL_KINDS, messageAt } from '../features/some-features.js'

const NOON = Date.UTC(2026, 10, 1, 12)
const MINUTE = 60_000

/**
 * Every aggregate over the session, by key or not, and with conditions; none is of time, which only the servers
 * correct.
 */
const DECLARED = ALL_KINDS.filter(({ window }) => window === 'session').map((feature, index) => ({
  ...feature,
  public: true,
  ...(index % 3 === 0 && {
    source: {
      event: 'Viewed',
      where: { 'properties.category': { $in: ['a', 'b', 'c'] }, 'context.locale': { $ne: 'd' } },
    },
  }),
}))

const ofServers = compileFeatures(ALL_BUILT_IN_FEATURES, DECLARED, where => {
  const compiled = compileMessageCondition(where)
  if (!compiled.ok) throw new Error(compiled.reason)
  return message => compiled.value.matches(message)
})
const { features: ofBrowser, leftOut } = compileSessionFeatures(publicFeatures(DECLARED))

/** Visits of one browser as the SDK makes them: sessions one after the other, half an hour apart at least. */
const history = fc
  .array(
    fc.record({
      pause: fc.integer({ min: 30, max: 60 * 48 }),
      messages: fc.array(
        fc.record({
          after: fc.integer({ min: 0, max: 29 * MINUTE }),
          event: fc.constantFrom('Viewed', 'Bought', 'page', 'Element Clicked', 'Slot Clicked', 'Page Engaged'),
          category: fc.constantFrom('a', 'b', 'c', 'd', 'e', '__proto__'),
          value: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom('x', '12.50', true, 0.1)),
          tab: fc.nat({ max: 3 }),
        }),
        { minLength: 1, maxLength: 12 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map(sessions => {
    let at = NOON
    return sessions.flatMap(({ pause, messages }, number) => {
      at += pause * MINUTE + 1
      return messages.map(({ after, event, category, value, tab }) => {
        at += after
        const message = messageAt(
          at,
          event,
          { category, value, activeMs: value },
          { sessionId: `s${number}`, locale: category },
        )
        return { tab, message: { ...message, messageId: `${number}-${at}-${tab}-${event}-${value}-${category}` } }
      })
    })
  })
  .map(all => [...new Map(all.map(entry => [entry.message.messageId, entry])).values()])

/** The same in another order, some of them more than once. */
const arrivals = history.chain(all =>
  fc.tuple(
    fc.constant(all),
    fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
    fc.subarray(all),
  ),
)

/** What the server answers of the session: the profile after envelopes of one message each, in this order. */
function onServer(messages: readonly StoredMessage[], at: number): Record<string, Json> {
  const profile = messages.reduce<ReturnType<typeof applyEnvelope>>(
    (before, message, index) =>
      applyEnvelope(
        before,
        {
          siteId: 'shop',
          visitorId: 'anna',
          sender: 'public',
          receivedAt: message.timestamp,
          messages: [message],
        } as never,
        index + 1,
        { features: ofServers },
      ),
    undefined,
  )
  const values = featureValues(profile!.features!, ofServers, at, ofBrowser.byName.keys())
  return Object.fromEntries([...values].map(([name, { value }]) => [name, value]))
}

/** What the browser tells: each tab counts its own messages, each stored and read again. */
function inBrowser(arrived: readonly { tab: number; message: StoredMessage }[], at: number): Record<string, Json> {
  const tabs: Visit[][] = [[], [], [], []]
  for (const { tab, message } of arrived)
    tabs[tab] = JSON.parse(JSON.stringify(countMessages(tabs[tab]!, [message], ofBrowser)))
  return sessionValues(tabs, ofBrowser, at)
}

it('counts every feature of a session that can be declared', () => {
  expect(leftOut).toEqual([])
  expect(ofBrowser.byName.size).toBe(DECLARED.length + 4)
})

it('has the values of the servers, whatever the order, in however many tabs, at any time', () => {
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 0, max: 90 }), ([all, other, again], minutes) => {
      const at = Math.max(...all.map(({ message }) => Date.parse(message.timestamp))) + minutes * MINUTE
      const expected = onServer(
        [...all, ...again].map(({ message }) => message),
        at,
      )
      expect(inBrowser(all, at)).toEqual(expected)
      expect(inBrowser(other, at)).toEqual(expected)
    }),
  )
})

it('keeps nothing of sessions that are over', () => {
  fc.assert(
    fc.property(arrivals, ([all, other]) => {
      const visits = countMessages(
        [],
        other.map(({ message }) => message),
        ofBrowser,
      )
      const latest = Math.max(...all.map(({ message }) => Date.parse(message.timestamp)))
      expect(visits.every(([, , endedAt]) => endedAt >= latest - 30 * MINUTE)).toBe(true)
    }),
  )
})
