import { keyToken } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createCatalog } from '#aggregator/decisions/catalog.js'

function shop() {
  const catalog = createCatalog()
  const slot = (id: string, fields: object = {}) => catalog.set(`shop.slot.${keyToken(id)}`, { id, ...fields })
  const content = (id: string, slots: string[], fields: object = {}) =>
    catalog.set(`shop.content.${keyToken(id)}`, { id, slots, ...fields })
  return { catalog, slot, content }
}

describe('the catalog', () => {
  it('gives a slot with the content that can appear in it', () => {
    const { catalog, slot, content } = shop()
    slot('für dich', { count: 3 })
    content('b', ['für dich'])
    content('a', ['für dich', 'hero'])
    content('c', ['hero'])
    const found = catalog.slotOf('shop', 'für dich')
    expect(found?.slot).toEqual({ id: 'für dich', count: 3, holdout: 0 })
    expect(found?.contents.map(({ content }) => content.id)).toEqual(['a', 'b'])
    expect(catalog.slotOf('shop', 'hero')).toBeUndefined()
    expect(catalog.slotOf('other', 'für dich')).toBeUndefined()
  })

  it('follows changes and deletions, and names each state differently', () => {
    const { catalog, slot, content } = shop()
    const version = () => catalog.slotOf('shop', 'hero')?.policyVersion
    slot('hero')
    content('a', ['hero'], { category: 'x' })
    const before = version()
    content('a', ['hero'], { category: 'x', payload: { title: 'new text, same choice' } })
    expect(version()).toBe(before)
    content('a', ['hero'], { category: 'y' })
    const moved = version()
    slot('hero', { policy: { type: 'random' } })
    const random = version()
    expect(new Set([before, moved, random]).size).toBe(3)
    catalog.set('shop.content.a', undefined)
    expect(catalog.slotOf('shop', 'hero')?.contents).toEqual([])
    catalog.set('shop.slot.hero', undefined)
    expect(catalog.slotOf('shop', 'hero')).toBeUndefined()
  })

  it('skips what can not be used, and says why', () => {
    const { catalog, slot } = shop()
    expect(slot('hero', { count: 0 })).toContain('count')
    expect(catalog.set('shop.slot.hero', { id: 'other' })).toContain('the key says hero')
    expect(catalog.set('shop.content.a', null)).toContain('id')
    expect(catalog.set('shop.else.a', {})).toContain('neither a slot nor a content')
    expect(catalog.slotOf('shop', 'hero')).toBeUndefined()
  })
})
