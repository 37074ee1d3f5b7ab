import type { JsonObject, StoredMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { applyMessage } from '#core/profile/apply-message.js'

/** The demo's modules are plain JavaScript. */
const { emptyJournal, enter } = await import(new URL('../../../../examples/demo/journal.js', import.meta.url).pathname)

let ids = 0
const message = (event: string, properties: JsonObject): StoredMessage => ({
  messageId: `m-${++ids}`,
  type: 'track',
  event,
  anonymousId: 'v',
  timestamp: '2026-01-01T00:00:00.000Z',
  properties,
})

function journalOf(...messages: StoredMessage[]) {
  const journal = emptyJournal()
  for (const one of messages) enter(journal, 'captured', one)
  return journal
}

describe('the panel of the demo', () => {
  it.each([
    ['Slot Viewed', { slotId: 'hero', contentId: 'camp' }, 'hero · camp'],
    ['Slot Viewed', { slotId: 'hero', contentId: '' }, 'hero · the page’s own content'],
    ['Slot Fell Back', { slotId: 'hero', outcome: 'timeout', waitedMs: 300 }, 'hero · timeout'],
    ['Web Vital', { name: 'LCP', value: 1.23456 }, 'LCP 1.235'],
    ['Scored', { value: 7 }, '7'],
    ['Anything', {}, ''],
  ])('says what a %s is about: %j', (event, properties, about) => {
    expect(journalOf(message(event, properties as JsonObject)).entries).toMatchObject([{ name: event, about }])
  })

  it('adds to the interests what came since the last decision, as the server will', () => {
    const messages = [
      message('Product List Viewed', { category: 'camp' }),
      message('Product Viewed', { category: 'camp', product_id: 'tent' }),
      message('Product Added', { category: 'trail', product_id: 'boots' }),
      message('Order Completed', { products: [{ category: 'trail' }, { category: 'garden' }, { category: 'garden' }] }),
      message('Sign Up', { category: 'none' }),
      message('constructor', { category: 'none' }),
    ]
    const journal = journalOf(...messages)
    let profile: ReturnType<typeof applyMessage> | undefined
    for (const one of messages) profile = applyMessage(profile, one, { siteId: 'demo', visitorId: 'v' })
    expect(journal.affinities).toEqual(profile?.affinities)

    // Its own count: the same message once more changes nothing, and a decision is what counts.
    enter(journal, 'captured', messages[0])
    expect(journal.affinities).toEqual(profile?.affinities)
    enter(journal, 'decision', { slotId: 'hero', outcome: 'served', items: [], reason: { affinities: { camp: 2 } } })
    expect(journal.affinities).toEqual({ camp: 2 })
    enter(journal, 'captured', message('Product Viewed', { category: 'camp' }))
    expect(journal.affinities).toEqual({ camp: 3 })
  })
})
