import type { Campaign, Content, DecisionRecord, ExclusionReason, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { contentConditionFaults, slotConditionFaults } from '#core/definitions/catalog-conditions.js'
import { definitionFaults, namesInUse } from '#core/definitions/check-definitions.js'
import { countContents } from '#core/features/content/count-contents.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { addAmounts, noContents } from '#core/learning/contents/content-totals.js'
import { decideAgain } from '#core/replay/decide-again.js'
import { decideOtherwise } from '#core/replay/decide-otherwise.js'
import { type Asked, compileAsked, decideOne } from '../decide/some-question.js'
import { messageAt } from '../features/some-features.js'

const NOW = Date.UTC(2026, 10, 2, 13)
const KNOWN = namesInUse({ features: [], patterns: [], segments: [] })

/** Clicks and views that were counted of each content, a minute ago in the slot `hero`. */
function countedOf(counts: Record<string, [clicks: number, views: number]>, ageMs = 0): NonNullable<Asked['counted']> {
  const totals = noContents()
  const counting = countContents(DEFAULT_FEATURES)
  for (const [contentId, [clicks, views]] of Object.entries(counts)) {
    const add = (event: string, times: number) => {
      for (let n = 0; n < times; n++)
        counting.add(messageAt(NOW - 60_000, event, { contentId, slotId: 'hero' }), NOW - 60_000)
    }
    add('Slot Clicked', clicks)
    add('Slot Viewed', views)
  }
  addAmounts(totals, 'shop', counting.amounts(), 1)
  return { rowsOf: contentId => totals.sites.get('shop')?.byId.get(contentId)?.rows, ageMs }
}

function asked(contents: (Partial<Content> & { id: string })[], fields: Partial<Asked> = {}, slot: Partial<Slot> = {}) {
  return {
    siteId: 'shop',
    visitorId: 'v1',
    profile: undefined,
    context: { country: 'DE' },
    counted: countedOf({ tent: [3, 4], lamp: [1, 10] }),
    now: NOW,
    seed: 'seed',
    contents: contents.map(content => ({ slots: ['hero'], category: 'c', payload: {}, ...content }) as Content),
    slot: { id: 'hero', policy: { type: 'random' }, count: 5, holdout: 0, ...slot } as Slot,
    ...fields,
  } satisfies Asked
}

function recordOf(question: Asked): DecisionRecord {
  const { choice } = decideOne(question)
  const head = { decisionId: 'seed', timestamp: new Date(NOW).toISOString(), slotId: 'hero', anonymousId: 'v1' }
  return { ...head, position: 1, ...choice, features: { ...choice.features } } as DecisionRecord
}

const LIKED = { 'content.features.content_click_rate': { $gte: 0.5 } }

describe('conditions over features of content', () => {
  it('hold for each content by its own, beside what they ask of the person', () => {
    const { choice } = decideOne(
      asked([
        { id: 'lamp', where: LIKED },
        { id: 'new', where: { 'content.features.content_views': 0, 'content.features.content_click_rate': null } },
        { id: 'tent', where: { ...LIKED, 'context.country': 'DE' } },
        { id: 'tent-far', where: { ...LIKED, 'context.country': 'FR' } },
      ]),
    )
    expect([...choice.contentIds].sort()).toEqual(['new', 'tent'])
    expect(choice.excluded).toEqual([
      {
        contentId: 'lamp',
        reason: 'condition' satisfies ExclusionReason,
        detail: 'content.features.content_click_rate is 0.1, wanted at least 0.5',
      },
      {
        contentId: 'tent-far',
        reason: 'condition',
        detail: 'content.features.content_click_rate is missing, wanted at least 0.5',
      },
    ])
    expect(choice.features.ages).toEqual({ content_click_rate: 0, content_views: 0 })
    const versionOf = (name: string) => DEFAULT_FEATURES.ofContent.byName.get(name)!.version
    expect(choice.features.versions).toEqual({
      content_clicks: versionOf('content_clicks'),
      content_views: versionOf('content_views'),
    })
  })

  it('choose among the content of a campaign', () => {
    const campaign: Campaign = { id: 'liked', mode: 'pin', contentIds: ['lamp', 'tent'], where: LIKED }
    const contents = [{ id: 'lamp' }, { id: 'tent' }, { id: 'zelt' }]
    const { choice } = decideOne(asked(contents, {}, { campaigns: [campaign], count: 1 }))
    expect(choice).toMatchObject({ contentIds: ['tent'], campaigns: ['liked'] })
    const none = decideOne(asked(contents, { counted: countedOf({}) }, { campaigns: [campaign], count: 1 }))
    expect(none.choice).not.toHaveProperty('campaigns')
  })

  it('are decided again as they were, whatever is counted by now', () => {
    const boosted: Campaign = { id: 'liked', mode: 'boost', contentIds: ['lamp', 'tent', 'zelt'], where: LIKED }
    const slots: Partial<Slot>[] = [
      { policy: { type: 'weighted' } },
      { campaigns: [boosted], count: 2 },
      { campaigns: [{ ...boosted, mode: 'pin' }], count: 2 },
      { policy: { type: 'fixed', contentIds: ['zelt', 'tent'] }, campaigns: [boosted], count: 2 },
      { maxAge: '1s' },
    ]
    const contents = [{ id: 'lamp', where: LIKED }, { id: 'tent', where: LIKED }, { id: 'zelt' }]
    for (const slot of slots)
      for (const counts of [{}, { tent: [3, 4] }, { lamp: [1, 1], tent: [9, 9], zelt: [1, 1] }] as const)
        for (const age of [0, 5_000]) {
          const question = asked(contents, { counted: countedOf(counts as never, age) }, slot)
          const { compiled } = compileAsked(question)
          const again = decideAgain('shop', recordOf(question), compiled)
          expect([slot, counts, age, again]).toEqual([slot, counts, age, { way: 'decided' }])
        }
  })

  it('say of which content a record does not know whether another condition held', () => {
    const question = asked([{ id: 'lamp', where: LIKED }, { id: 'tent', where: LIKED }, { id: 'zelt' }])
    const { compiled } = compileAsked(question)
    const changed = asked([{ id: 'lamp' }, { id: 'tent', where: LIKED }, { id: 'zelt', where: LIKED }])
    const other = decideOtherwise('shop', recordOf(question), compiled, compileAsked(changed).compiled)
    expect(other.unknown).toEqual(['zelt'])
    expect([...other.contentIds].sort()).toEqual(['lamp', 'tent', 'zelt'])
  })

  it('are stale where too little is known of what was counted', () => {
    const old = { counted: countedOf({ tent: [3, 4] }, 5_000) }
    const contents = [{ id: 'tent', where: LIKED }]
    expect(decideOne(asked(contents, old, { maxAge: '4s' })).choice).toMatchObject({
      outcome: 'stale',
      contentIds: [],
      features: { ages: { content_click_rate: 5_000 } },
    })
    expect(decideOne(asked(contents, old, { maxAge: '5s' })).choice.outcome).toBe('served')
    // A person's own are no older for it.
    expect(decideOne(asked([{ id: 'tent' }], old, { maxAge: '4s' })).choice.outcome).toBe('served')
  })
})

describe('names of features of content', () => {
  it('are those that the site has, and are suggested', () => {
    const where = (path: string) => contentConditionFaults({ where: { [path]: 1 } }, KNOWN)
    expect(where('content.features.content_trend')).toEqual([])
    expect(where('content.features.content_click_rate')).toEqual([])
    expect(where('content.features.content_trent')).toEqual([
      'where.content.features.content_trent: there is no feature of content "content_trent": did you mean "content_trend"?',
    ])
    expect(where('content.features')[0]).toContain('content.features.NAME')
    expect(where('content.trend')[0]).toContain('content.features.NAME')
    expect(where('features.content_trend')[0]).toContain('there is no feature "content_trend"')
    expect(where('content.features.page_views')[0]).toContain('there is no feature of content "page_views"')
    const campaigns = [{ id: 'c', mode: 'pin', contentIds: ['a'], where: { 'content.features.nope': 1 } }] as Campaign[]
    expect(slotConditionFaults({ campaigns }, KNOWN)[0]).toContain('campaigns[0].where.content.features.nope')
  })

  it('change with what the site declares', () => {
    const names = (features: Parameters<typeof namesInUse>[0]['features']) =>
      namesInUse({ features, patterns: [], segments: [] })
    const count = { source: { event: 'E' }, aggregate: 'count' } as const
    expect(names([{ name: 'content_views', off: true }]).contentFeatures).not.toContain('content_click_rate')
    expect(names([{ name: 'content_views', ...count }])).toMatchObject({
      features: expect.arrayContaining(['content_views']),
      contentFeatures: expect.not.arrayContaining(['content_views', 'content_click_rate']),
    })
    expect(names([{ name: 'page_views', entity: 'content', ...count }])).toMatchObject({
      features: expect.not.arrayContaining(['page_views']),
      contentFeatures: expect.arrayContaining(['page_views', 'content_click_rate']),
    })
  })

  it('cannot be asked for where no content is meant', () => {
    const segments = [{ name: 's', where: { 'content.features.content_views': 1 } }]
    expect(definitionFaults('segments', { features: [], patterns: [], segments })).toEqual([
      'segments[0].where.content.features.content_views: only conditions of content and campaigns are asked of a content',
    ])
  })
})
