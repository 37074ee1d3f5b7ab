import { compileFeatures, DEFAULT_FEATURES, foldPerson } from '@slotstream/core'
import type { FeatureStates, StoredMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { suspicionOf } from '#core/bots/suspicion.js'
import { draftFeatures, emptyStates } from '#core/features/state/reduce.js'
import { createRandom } from '../../../chaos/random.js'

const START = Date.UTC(2026, 0, 1)
const SECOND = 1_000
const MINUTE = 60 * SECOND

const CRAWLER = { bot: { reason: 'user_agent', match: 'Googlebot', crawler: 'Googlebot' } }

let ids = 0
const message = (at: number, fields: Partial<StoredMessage> = {}): StoredMessage => ({
  messageId: `m${ids++}`,
  type: 'page',
  anonymousId: 'v1',
  timestamp: new Date(at).toISOString(),
  ...fields,
})

/** Pages of one visit, so many milliseconds apart. */
const pages = (count: number, everyMs: number, from = START) =>
  Array.from({ length: count }, (_, n) => message(from + n * everyMs))
const click = (at: number) => message(at, { type: 'track', event: 'Product Clicked' })
const activity = (at: number) => message(at, { type: 'track', event: 'Page Engaged', properties: { activeMs: 900 } })

function statesOf(messages: StoredMessage[], features = DEFAULT_FEATURES): FeatureStates {
  const draft = draftFeatures(emptyStates(0), features)
  for (const one of messages) draft.add(one, Date.parse(one.timestamp))
  return draft.soFar()
}

const reasons = (messages: StoredMessage[]) => suspicionOf(statesOf(messages), DEFAULT_FEATURES).reasons

describe('behaviour', () => {
  it.each<[string, StoredMessage[], string[]]>([
    ['is no program’s where there is little of it', pages(99, 100), []],
    ['of 100 pages in 199 s is a program’s, whatever it clicks', [...pages(100, 2_000), click(START + 5)], ['rate']],
    ['of 101 pages in 202 s with a click is a person’s', [...pages(101, 2_020), click(START + 5)], []],
    ['of 100 pages in 495 s is a program’s without a click', pages(100, 5_000), ['rate']],
    ['of 100 pages in 495 s is a person’s with activity', [...pages(100, 5_000), activity(START + 9_000)], []],
    ['of 100 pages in 510 s is a person’s', pages(101, 5_100), []],
    ['without a pause for 12 h is a program’s', pages(121, 6 * MINUTE), ['endless']],
    ['without a pause for less is a person’s', pages(120, 6 * MINUTE), []],
    [
      'with a pause of more than half an hour is two visits',
      [...pages(70, 6 * MINUTE), ...pages(70, 6 * MINUTE, START + 8 * 60 * MINUTE)],
      [],
    ],
    ['without a pause, but with a click, is a person’s', [...pages(121, 6 * MINUTE), click(START + MINUTE)], []],
    ['of a page a minute for ten hours is a program’s', pages(600, MINUTE), ['regular']],
    ['of a page a minute for four hours is not known to be', pages(240, MINUTE), []],
    ['of one page of a crawler that says who it is', [message(START, { context: CRAWLER })], ['crawler']],
    ['of a library says nothing', [message(START, { context: { bot: { reason: 'user_agent', match: 'curl' } } })], []],
    ['of a page a minute with a click is a person’s', [...pages(600, MINUTE), click(START + MINUTE)], []],
  ])('%s', (_what, messages, expected) => {
    expect(reasons(messages)).toEqual(expected)
  })

  it('of equal numbers is found where the times between vary, as long as the hours do not', () => {
    const random = createRandom(7)
    let at = START
    const crawler = Array.from({ length: 900 }, () => {
      at += Math.round((20 + 40 * random.next()) * SECOND)
      return message(at)
    })
    expect(reasons(crawler)).toEqual(['regular'])
    at = START
    const reader = Array.from({ length: 900 }, () => {
      // As often on average; people come at times that have no memory.
      at += Math.round(-Math.log(1 - random.next()) * 40 * SECOND)
      return message(at)
    })
    expect(reasons(reader)).toEqual([])
  })

  it('is the same in whatever order messages came, and of browsers that are one person', () => {
    const random = createRandom(8)
    const messages = pages(600, MINUTE)
    const shuffled = messages.toSorted(() => random.next() - 0.5)
    expect(reasons(shuffled)).toEqual(['regular'])
    const halves = [messages.filter((_, n) => n % 2 === 0), messages.filter((_, n) => n % 2 === 1)]
    const person = foldPerson(
      halves.map(half => statesOf(half)),
      DEFAULT_FEATURES,
    )
    expect(suspicionOf(person, DEFAULT_FEATURES)).toEqual({ isBot: true, reasons: ['regular'] })
  })

  it('says nothing where the site has switched the features off that it is read from', () => {
    const none = compileFeatures([], [], () => () => true)
    expect(suspicionOf(statesOf(pages(600, 100), none), none)).toEqual({ isBot: false, reasons: [] })
  })
})
