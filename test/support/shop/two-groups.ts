import type { DecisionRecord } from '@slotstream/protocol'
import { iso } from './book.js'
import type { Shop, ShopEvent } from './shop.js'

const AT = Date.UTC(2026, 2, 1)

/** How many clicked, of how many who saw it, with the content, and of those held out. */
type Counts = readonly [clicked: number, seen: number, heldClicked: number, heldSeen: number]

/** Makes a shop with one content and visitors held out. */
export function twoGroups(siteId: string, [clicked, seen, heldClicked, heldSeen]: Counts): Shop {
  const shop: Shop = { siteId, events: [], decisions: [] }
  for (let n = 0; n < seen; n++) respond(shop, ['tent'], n < clicked)
  for (let n = 0; n < heldSeen; n++) respond(shop, [], n < heldClicked)
  return shop
}

function respond(shop: Shop, contentIds: string[], clicked: boolean): void {
  const decisionId = `${shop.siteId}-${shop.decisions.length}`
  const decision: DecisionRecord = {
    decisionId,
    timestamp: iso(AT),
    slotId: 'hero',
    anonymousId: decisionId,
    policy: 'random',
    policyVersion: '1',
    outcome: contentIds.length > 0 ? 'served' : 'holdout',
    holdout: contentIds.length === 0,
    contentIds,
    propensities: contentIds.map(() => 1),
    position: 1,
    candidates: [],
    excluded: [],
    features: {},
    seed: '',
  }
  shop.decisions.push(decision)
  for (const event of clicked ? ['Slot Viewed', 'Slot Clicked'] : ['Slot Viewed']) {
    const sent: ShopEvent = {
      seq: shop.events.length + 1,
      index: 0,
      sender: 'public',
      receivedAt: iso(AT),
      message: {
        messageId: `${decisionId}-${event}`,
        type: 'track',
        event,
        anonymousId: decisionId,
        timestamp: iso(AT),
        originalTimestamp: iso(AT),
        properties: { slotId: 'hero', decisionId, ...(contentIds[0] ? { contentId: contentIds[0] } : {}) },
      },
    }
    shop.events.push(sent)
  }
}
