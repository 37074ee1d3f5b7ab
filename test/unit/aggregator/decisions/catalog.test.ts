import { recordedVersion } from '@slotstream/core'
import { type Experiment, type ExperimentArm, keyToken } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createCatalog } from '#aggregator/decisions/catalog.js'

function shop() {
  const catalog = createCatalog()
  const slot = (id: string, fields: object = {}) => catalog.set(`shop.slot.${keyToken(id)}`, { id, ...fields })
  const content = (id: string, slots: string[], fields: object = {}) =>
    catalog.set(`shop.content.${keyToken(id)}`, { id, slots, ...fields })
  return { catalog, slot, content }
}

/** For a machine that is busy otherwise. */
const PATIENT = { timeout: 30_000 }

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

  it('skips what cannot be used, and says why', () => {
    const { catalog, slot } = shop()
    expect(slot('hero', { count: 0 })).toContain('count')
    expect(catalog.set('shop.slot.hero', { id: 'other' })).toContain('the key says hero')
    expect(catalog.set('shop.content.a', null)).toContain('id')
    expect(catalog.set('shop.else.a', {})).toContain('neither a slot nor a content')
    expect(catalog.slotOf('shop', 'hero')).toBeUndefined()
  })

  it('compiles after a change of one content only the slots it is or was in, and only that content', () => {
    const { catalog, slot, content } = shop()
    for (const id of ['hero', 'aside', 'footer']) slot(id)
    for (const id of ['a', 'b']) content(id, ['hero', 'aside'], { where: { 'context.country': id } })
    content('c', ['footer'])
    const [hero, aside, footer] = ['hero', 'aside', 'footer'].map(id => catalog.slotOf('shop', id)!)
    const clauses = catalog.clausesOf('shop')

    content('b', ['hero'], { where: { 'context.country': 'other' } })
    expect(catalog.slotOf('shop', 'footer')).toBe(footer)
    const [heroAfter, asideAfter] = ['hero', 'aside'].map(id => catalog.slotOf('shop', id)!)
    expect(heroAfter).not.toBe(hero)
    expect(asideAfter).not.toBe(aside)
    expect(heroAfter!.contents[0]).toBe(hero!.contents[0])
    expect(heroAfter!.contents[1]).not.toBe(hero!.contents[1])
    expect(asideAfter!.contents.map(({ id }) => id)).toEqual(['a'])
    expect(catalog.clausesOf('shop')).toBe(clauses)

    slot('hero', { count: 2 })
    expect(catalog.slotOf('shop', 'hero')).not.toBe(heroAfter)
    expect(catalog.slotOf('shop', 'footer')).toBe(footer)
    expect(content('b', ['hero'], { caps: 'none' })).toBeDefined()
    const now = catalog.slotOf('shop', 'aside')
    slot('aside', { count: 0 })
    expect(catalog.slotOf('shop', 'aside')).toBe(now)
  })

  it('keeps numbers of clauses, and begins anew when most have no use any more', () => {
    const { catalog, slot, content } = shop()
    slot('hero')
    const first = catalog.clausesOf('shop')
    for (let at = 0; at < 900; at++) {
      content('a', ['hero'], { where: { 'context.country': `c${at}` } })
      expect(catalog.slotOf('shop', 'hero')?.conditions).toEqual([[at]])
    }
    expect(catalog.clausesOf('shop')).toBe(first)
    for (let at = 900; at < 1_200; at++) {
      content('a', ['hero'], { where: { 'context.country': `c${at}` } })
      const { clauses } = catalog.slotOf('shop', 'hero')!
      expect(clauses).toBe(catalog.clausesOf('shop'))
      expect(clauses.size).toBeLessThan(1_100)
    }
    expect(catalog.clausesOf('shop')).not.toBe(first)
    expect(catalog.clausesOf('shop').size).toBeLessThan(300)
  })

  it('shares contents, columns and conditions among arms that differ in the policy alone', () => {
    const { catalog, slot, content } = shop()
    slot('hero', { policy: { type: 'random' } })
    for (const id of ['a', 'b', 'c']) content(id, ['hero'], { where: { 'context.country': id } })
    const arms: ExperimentArm[] = [
      { id: 'control', share: 0.4 },
      { id: 'learner', share: 0.3, policy: { type: 'thompson' } },
      { id: 'few', share: 0.3, contentIds: ['c', 'a'] },
    ]
    catalog.setExperiments('shop', [{ id: 'e', slot: 'hero', arms } as Experiment])
    const [itself, control, learner, few] = catalog.waysOf('shop', 'hero')
    expect(control).toBe(itself)
    for (const shared of ['contents', 'columns', 'conditions', 'campaigns'] as const)
      expect(learner![shared]).toBe(itself![shared])
    expect(learner!.slot.policy?.type).toBe('thompson')
    expect(learner!.needs).toMatchObject({ policy: { sums: true }, conditions: true })
    expect([itself!.learns, learner!.learns]).toEqual([false, true])
    expect(few!.contents.map(({ id }) => id)).toEqual(['a', 'c'])
    const contents = new Map(itself!.contents.map(({ id, content }) => [id, content]))
    const versions = arms.map(arm => recordedVersion(itself!.slot, contents, arm).policyVersion)
    expect([control, learner, few].map(way => way!.policyVersion)).toEqual(versions)
    expect(new Set(versions).size).toBe(3)

    catalog.setExperiments('shop', [])
    expect(catalog.waysOf('shop', 'hero')).toEqual([itself])
    expect(catalog.slotOf('shop', 'hero')).toBe(itself)
  })

  it('takes content by candidates, which enters and leaves as it changes, and compiles no other slot for it', () => {
    const { catalog, slot, content } = shop()
    const ids = (id: string) => catalog.slotOf('shop', id)?.contents.map(each => each.id)
    content('tent', [], { category: 'tents', price: 150 })
    content('palace', [], { category: 'tents', price: 900 })
    content('lamp', ['deals'], { category: 'lamps' })
    slot('deals', { candidates: { category: 'tents', price: { $lt: 200 } } })
    slot('lamps', { candidates: { category: 'lamps' } })
    expect([ids('deals'), ids('lamps')]).toEqual([['lamp', 'tent'], ['lamp']])

    const [deals, lamps] = [catalog.slotOf('shop', 'deals'), catalog.slotOf('shop', 'lamps')]
    content('hut', [], { category: 'huts' })
    expect(catalog.slotOf('shop', 'deals')).toBe(deals)
    content('palace', [], { category: 'tents', price: 199 })
    expect(ids('deals')).toEqual(['lamp', 'palace', 'tent'])
    expect(catalog.slotOf('shop', 'lamps')).toBe(lamps)
    content('tent', [], { category: 'tents', price: 200 })
    expect(ids('deals')).toEqual(['lamp', 'palace'])
    catalog.set('shop.content.palace', undefined)
    expect(ids('deals')).toEqual(['lamp'])
    slot('deals', { candidates: { price: { $gte: 200 } } })
    expect(ids('deals')).toEqual(['lamp', 'tent'])
    slot('deals', {})
    expect(ids('deals')).toEqual(['lamp'])
  })

  it('compiles a large slot in steps, which takes what changes meanwhile, and serves it as it was until then', async () => {
    const { catalog, slot, content } = shop()
    const found = () => catalog.slotOf('shop', 'hero')!
    const prepare = (...ids: string[]) =>
      catalog.prepare(
        'shop',
        ids.map(id => ({ id })),
      )
    slot('hero')
    slot('few')
    expect(prepare('hero', 'none')).toBeUndefined()
    for (let n = 0; n < 2_000; n++) content(`c${n}`, ['hero'], { where: { 'context.country': `${n % 7}` }, price: n })
    const preparing = prepare('hero', 'few', 'none')
    content('c5', ['hero'], { price: 99 })
    catalog.set('shop.content.c6', undefined)
    await preparing
    expect(prepare('hero', 'few')).toBeUndefined()
    await expect.poll(() => found().places.has('c6'), PATIENT).toBe(false)
    const before = found()
    expect(before.contents.find(({ id }) => id === 'c5')?.facts.price).toBe(99)

    content('new', ['hero'])
    slot('hero', { count: 3 })
    expect(found()).toBe(before)
    await expect.poll(() => found().places.has('new') && found().slot.count, PATIENT).toBe(3)
    const { slot: asStored, contents, places, conditions, columns, policyVersion } = found()
    expect([asStored.count, places.get('new'), contents.at(-1)!.id]).toEqual([3, 1_999, 'new'])
    expect([...columns.condition.slice(0, 3), conditions.length]).toEqual([0, 1, 2, 8])
    const byId = new Map(contents.map(({ id, content: stored }) => [id, stored]))
    expect(recordedVersion(asStored, byId)).toEqual({ policyVersion, contentIds: [...byId.keys()] })

    catalog.set('shop.slot.hero', undefined)
    expect(catalog.slotOf('shop', 'hero')).toBeUndefined()
  }, 60_000)

  it('compiles a small slot beside a large one, for which its visitors do not wait', async () => {
    const { catalog, slot, content } = shop()
    slot('hero')
    slot('few')
    content('a', ['few'])
    for (let n = 0; n < 4_000; n++) content(`c${n}`, ['hero'], { where: { 'context.shelf': `${n}` } })
    const large = catalog.prepare('shop', [{ id: 'hero' }])
    await new Promise(setImmediate)
    await catalog.prepare('shop', [{ id: 'few' }])
    expect(catalog.prepare('shop', [{ id: 'hero' }])).toBeDefined()
    expect(catalog.slotOf('shop', 'few')!.contents.map(({ id }) => id)).toEqual(['a'])
    await large
    expect(catalog.slotOf('shop', 'hero')!.contents.length).toBe(4_000)
  })

  it('keeps a slot whose new candidates are of no use as it was, with the content of now', () => {
    const { catalog, slot, content } = shop()
    const ids = () => catalog.slotOf('shop', 'deals')?.contents.map(each => each.id)
    content('a', [], { price: 1 })
    slot('deals', { candidates: { price: { $lt: 5 } } })
    expect(ids()).toEqual(['a'])
    for (const candidates of [7, null, [], { prize: 1 }, { price: { $les: 1 } }, { brand: { $regex: '(' } }]) {
      const reason = slot('deals', { candidates })
      if (candidates === null) slot('deals', { candidates: { price: { $lt: 5 } } })
      else expect(reason).toContain('the version before stays')
    }
    content('b', [], { price: 2 })
    expect(ids()).toEqual(['a', 'b'])
    expect(slot('other', { candidates: { prize: 1 } })).toContain('did you mean "price"?')
    expect(catalog.slotOf('shop', 'other')).toBeUndefined()
  })

  it('lets arms of experiments have some of the content that candidates take', () => {
    const { catalog, slot, content } = shop()
    slot('deals', { candidates: { price: { $lt: 5 } } })
    for (const id of ['a', 'b', 'c']) content(id, [], { price: 1 })
    const arms: ExperimentArm[] = [
      { id: 'control', share: 0.5 },
      { id: 'few', share: 0.5, contentIds: ['c', 'a'] },
    ]
    catalog.setExperiments('shop', [{ id: 'e', slot: 'deals', arms } as Experiment])
    const few = () => catalog.waysOf('shop', 'deals')[2]?.contents.map(each => each.id)
    expect(few()).toEqual(['a', 'c'])
    content('c', [], { price: 9 })
    expect(few()).toEqual(['a'])
  })
})
