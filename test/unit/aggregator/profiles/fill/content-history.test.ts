import type { ContentAmounts } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createContentHistory } from '#aggregator/profiles/fill/contents/content-history.js'

type Amount = ContentAmounts['amounts'][number]

const ALL = () => true
const AT = ['2026-11-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z'] as const

const message = (amounts: Amount[], { contentId = 'tent', slotId = 'hero', userId = '', receivedAt = '' } = {}) => ({
  ...{ userId, receivedAt: receivedAt || AT[0], contents: [{ contentId, slotId, amounts }] },
})

describe('what the history of a visitor adds to features of content', () => {
  it('is a sum for each content, slot, time and key, of versions that are wanted', () => {
    const history = createContentHistory()
    const isWanted = (version: string) => version === 'v'
    history.add(message([['v', 1, 0, 5] as Amount, ['w', 1, 0, 5] as Amount]), isWanted)
    history.add(message([['v', 1, 0, 2] as Amount, ['v', 2, 1, 3] as Amount]), isWanted)
    history.add(message([['v', 1, 0, 9, 'Acme']], { slotId: '' }), isWanted)
    expect(history.partsOf('v')).toEqual([
      {
        ...{ userId: '', receivedAt: AT[0] },
        contents: [
          {
            contentId: 'tent',
            slotId: 'hero',
            amounts: [
              ['v', 1, 0, 7],
              ['v', 2, 1, 3],
            ],
          },
          { contentId: 'tent', slotId: '', amounts: [['v', 1, 0, 9, 'Acme']] },
        ],
      },
    ])
    expect(history.partsOf('w')).toEqual([])
  })

  it('is apart for each user, with the time of the latest message', () => {
    const history = createContentHistory()
    history.add(message([['v', 0, 0, 1]], { userId: 'bob', receivedAt: AT[1] }), ALL)
    history.add(message([['v', 0, 0, 2]], { userId: 'ann' }), ALL)
    history.add(message([['v', 0, 0, 4]], { userId: 'bob' }), ALL)
    expect(
      history.partsOf('v').map(({ userId, receivedAt, contents }) => [userId, receivedAt, contents[0]!.amounts]),
    ).toEqual([
      ['ann', AT[0], [['v', 0, 0, 2]]],
      ['bob', AT[1], [['v', 0, 0, 5]]],
    ])
  })

  it('stays exact where one number would not', () => {
    const history = createContentHistory()
    for (let time = 0; time < 3; time++) history.add(message([['v', 0, 0, Number.MAX_SAFE_INTEGER - 1]]), ALL)
    const amounts = history.partsOf('v')[0]!.contents[0]!.amounts.map(([, , , units]) => units)
    expect(amounts).toEqual(Array.from({ length: 3 }, () => Number.MAX_SAFE_INTEGER - 1))
  })

  it('comes in portions that a stream takes, and says by how much it grows', () => {
    const history = createContentHistory()
    const keys = Array.from({ length: 9_000 }, (_, key): Amount => ['v', 0, 0, 1, `${key}`.padStart(40, 'k')])
    const grown = history.add(message(keys), ALL)
    expect(grown).toBe(9_000 * (200 + 2 * 40))
    expect(history.add(message(keys), ALL)).toBe(0)
    const parts = history.partsOf('v')
    expect(parts.length).toBeGreaterThan(1)
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(700_000)
    const all = parts.flatMap(({ contents }) => contents.flatMap(({ amounts }) => amounts))
    expect(all).toEqual(keys.map(([version, slot, first, units, key]) => [version, slot, first, 2 * units, key]))
  })

  it('comes in portions that a stream takes, whatever visitors call things', () => {
    const history = createContentHistory()
    const hostile = (n: number) => `${n}${'\u0001'.repeat(250)}`
    for (let n = 0; n < 600; n++)
      history.add(message([['v', 0, 0, 1, hostile(n)]], { contentId: hostile(n), slotId: hostile(n) }), ALL)
    const parts = history.partsOf('v')
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(700_000)
    expect(parts.flatMap(({ contents }) => contents)).toHaveLength(600)
  })

  it('is found at once, however many sums are full', () => {
    const history = createContentHistory()
    const full: Amount[] = Array.from({ length: 20_000 }, () => ['v', 0, 0, Number.MAX_SAFE_INTEGER - 1])
    history.add(message(full), ALL)
    expect(history.partsOf('v').flatMap(({ contents }) => contents.flatMap(({ amounts }) => amounts))).toHaveLength(
      20_000,
    )
  })
})
