import type { Content, JsonObject, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { changesOfTaken } from '#cli/catalog/taken-contents.js'

const slot = (id: string, candidates?: JsonObject): Slot => ({
  id,
  count: 1,
  holdout: 0,
  ...(candidates && { candidates }),
})
const content = (id: string, price: number, slots: string[] = []): Content => ({
  id,
  slots,
  category: '',
  payload: {},
  price,
})
const CHEAP = { price: { $lt: 100 } }
const many = (price: number) => Array.from({ length: 7 }, (_, n) => content(`c${n}`, price))

describe('what slots take otherwise', () => {
  it.each<[string, { slots: Slot[]; content: Content[] }, { slots: Slot[]; content: Content[] }, string[]]>([
    [
      'a price that changes',
      { slots: [slot('deals', CHEAP), slot('hero')], content: [content('a', 90), content('b', 200), content('c', 50)] },
      { slots: [slot('deals', CHEAP), slot('hero')], content: [content('a', 110), content('b', 80), content('c', 55)] },
      ['> slot deals takes b, no longer takes a'],
    ],
    [
      'a slot that is new',
      { slots: [], content: many(1) },
      { slots: [slot('deals', CHEAP)], content: many(1) },
      ['> slot deals takes c0, c1, c2, c3, c4 and 2 more'],
    ],
    [
      'a condition that goes',
      { slots: [slot('deals', CHEAP)], content: [content('a', 1), content('b', 1, ['deals'])] },
      { slots: [slot('deals')], content: [content('a', 1), content('b', 1, ['deals'])] },
      ['> slot deals no longer takes a'],
    ],
    [
      'slots that contents name, which have lines of their own',
      { slots: [slot('hero')], content: [content('a', 1)] },
      { slots: [slot('hero')], content: [content('a', 1, ['hero'])] },
      [],
    ],
  ])('%s', (_what, before, after, lines) => {
    expect(changesOfTaken(before, after)).toEqual(lines)
  })
})
