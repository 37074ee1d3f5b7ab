import { describe, expect, it } from 'vitest'
import { addAmounts, type ContentTotal, noContents, putContent } from '#core/learning/contents/content-totals.js'

const MB = 2 ** 20

/** A content that is counted as so many megabytes, whose rows are one and the same. */
function large(contentId: string, megabytes: number): ContentTotal {
  const row = new Array<number>(Math.ceil((megabytes * MB) / 1_000 / 16)).fill(0)
  return { contentId, rows: new Map(Array.from({ length: 1_000 }, (_, n) => [`${n}`, row])) }
}

describe('sums for the features of content', () => {
  it('take no memory once all is taken away', () => {
    const totals = noContents()
    const amounts = [{ contentId: 'a', slotId: 'hero', amounts: [['v1', 7, 0, 3] as never] }]
    addAmounts(totals, 'shop', amounts, 1)
    expect(totals.bytes).toBeGreaterThan(600)
    expect(totals.sites.get('shop')!.bytes).toBe(totals.bytes)
    addAmounts(totals, 'shop', amounts, -1)
    expect(totals).toEqual(noContents())
  })

  it('of one site are bounded: its oldest contents leave', () => {
    const totals = noContents()
    for (const id of ['a', 'b', 'a', 'c', 'd']) putContent(totals, 'shop', large(id, 12))
    expect([...totals.sites.get('shop')!.byId.keys()]).toEqual(['c', 'd'])
    expect(totals.left).toBe(2)
    // One alone stays, whatever it takes.
    putContent(totals, 'other', large('a', 40))
    expect(totals.sites.get('other')!.byId.size).toBe(1)
  })

  it('of all sites are bounded: the one with the most loses its oldest contents', () => {
    const totals = noContents()
    for (const id of ['a', 'b', 'c']) putContent(totals, 'most', large(id, 9))
    for (let site = 0; site < 20; site++) {
      putContent(totals, `site-${site}`, large('a', 6))
      expect(totals.bytes).toBeLessThanOrEqual(128 * MB)
    }
    expect(totals.sites.has('most')).toBe(false)
    expect(totals.sites.size).toBe(20)
    expect(totals.left).toBe(3)
    const bytes = [...totals.sites.values()].reduce((sum, site) => sum + site.bytes, 0)
    expect(totals.bytes).toBe(bytes)
  })
})
