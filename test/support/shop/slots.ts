import type { Attribution, DecisionRecord } from '@slotstream/protocol'
import { type Browser, iso, type ShopBook, send } from './book.js'

const CONTENTS: Record<string, string[]> = { hero: ['tent', 'stove', 'spade'], aside: ['mug', 'lamp'], footer: ['map'] }
const HOLDOUT = 0.25

/** A slot is asked for, perhaps shown, seen, and clicked; the time after it. */
export function askForSlot(book: ShopBook, browser: Browser, slot: string, time: number): number {
  const { random } = book
  const holdout = hashShare(browser.id, slot) < HOLDOUT
  const outcome = holdout ? 'holdout' : random.next() < 0.05 ? 'timeout' : 'served'
  const count = slot === 'aside' ? 2 : 1
  const contents = CONTENTS[slot]!
  const first = random.int(0, contents.length - 1)
  const contentIds =
    outcome === 'served' ? Array.from({ length: count }, (_, n) => contents[(first + n) % contents.length]!) : []
  const decisionId = idOf(book, time)
  const attribution = ruleAt(book, slot, time)
  const decision: DecisionRecord = {
    decisionId,
    timestamp: iso(time),
    slotId: slot,
    anonymousId: browser.id,
    ...(browser.user ? { userId: browser.user } : {}),
    sessionId: browser.session,
    pageViewId: browser.view,
    policy: 'random',
    policyVersion: '1',
    outcome,
    holdout,
    ...(attribution ? { attribution } : {}),
    contentIds,
    propensities: contentIds.map(() => 1 / contents.length),
    position: 1,
    candidates: [],
    excluded: [],
    features: {},
    seed: decisionId,
  }
  book.decisions.push(decision)
  if (outcome === 'timeout') return time + 1
  return respond(book, browser, decision, time)
}

function respond(book: ShopBook, browser: Browser, { decisionId, slotId, contentIds }: DecisionRecord, start: number) {
  const { random } = book
  let time = start
  for (const contentId of contentIds.length > 0 ? contentIds : ['']) {
    const properties = { slotId, decisionId, ...(contentId ? { contentId, position: 1 } : {}) }
    time += random.int(100, 1500)
    if (random.next() < 0.8) send(book, browser, time, { event: 'Slot Viewed', properties })
    // Now and then at the same millisecond as the one before: then the place in the stream decides.
    const clicks = random.next() < 0.35 ? random.int(1, 2) : 0
    for (let click = 0; click < clicks; click++) {
      if (random.next() < 0.8) time += random.int(1, 900)
      send(book, browser, time, { event: 'Slot Clicked', properties })
    }
  }
  return time
}

/**
 * The rule of a slot at a time: that of `hero` is the default, that of `aside` changes in the middle of the history.
 */
function ruleAt({ from, now }: ShopBook, slot: string, time: number): Attribution | undefined {
  if (slot === 'hero') return undefined
  if (slot === 'footer') return { rule: 'firstClick', windowHours: 400 }
  return time < (from + now) / 2 ? { rule: 'linear', windowHours: 400 } : { rule: 'lastClick', windowHours: 2 }
}

/** Mostly an id as servers make it, which begins with the time; else one of another system, or made at another time. */
function idOf(book: ShopBook, time: number): string {
  const roll = book.random.next()
  if (roll < 0.05) return book.id('imported')
  const at = roll < 0.1 ? time - 86_400_000 : time
  const hex = at.toString(16).padStart(12, '0')
  const tail = (book.random.int(0, 2 ** 30) * 1000 + book.decisions.length).toString(16).padStart(12, '0').slice(-12)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-${tail}`
}

function hashShare(...texts: string[]): number {
  let hash = 7
  for (const character of texts.join(' ')) hash = (hash * 31 + character.charCodeAt(0)) % 1_000_003
  return hash / 1_000_003
}
