import { readFileSync } from 'node:fs'
import type { Content, DecisionRecord, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { explainDecision } from '#core/explain/explain-decision.js'
import type { ExplainedRecord } from '#core/explain/explanation.js'
import { type Asked, decideOne } from '../decide/some-question.js'

const RECORDS = ['0.1.0', '0.1.0-form-3'].flatMap(release => {
  const text = readFileSync(new URL(`../decide/records-${release}.json`, import.meta.url), 'utf8')
  return (JSON.parse(text) as { what: string; record: DecisionRecord }[]).flatMap(({ what, record }) =>
    what === 'holdout' ? [] : [[what, record] as const],
  )
})
const NOW = Date.parse('2026-11-29T12:00:00Z')
const SAME = 'Drawn again from the record, the choice is the same.'

const content = (id: string, fields: Partial<Content> = {}): Content => ({
  id,
  slots: ['hero'],
  category: 'c',
  payload: {},
  ...fields,
})
const slot = (fields: Partial<Slot> = {}): Slot => ({
  id: 'hero',
  count: 1,
  holdout: 0,
  policy: { type: 'random' },
  ...fields,
})

function recordOf(asked: Partial<Asked>): ExplainedRecord {
  const question = {
    siteId: 'shop',
    visitorId: 'v',
    profile: undefined,
    now: NOW,
    seed: 's',
    slot: slot(),
    contents: [],
  }
  const { choice } = decideOne({ ...question, ...asked })
  return { ...choice, features: { ...choice.features } }
}

describe('the explanation of a record', () => {
  it.each(RECORDS)('that 0.1.0 wrote, %s, draws it again and names all that it lists', (what, record) => {
    const { reproduced, candidates, unnamed, text } = explainDecision(record)
    // What could be shown, and is no candidate of any stage, is not listed.
    const left = record.draw?.version === 3 ? { fixed: 10, campaigns: 8 } : { fixed: 2 }
    expect({ reproduced, unnamed }).toEqual({ reproduced: true, unnamed: left[what as keyof typeof left] ?? 0 })
    expect(candidates.filter(({ shown }) => shown).map(({ contentId }) => contentId)).toEqual(record.contentIds)
    const propensities = candidates.slice(0, record.contentIds.length).map(({ propensity }) => propensity)
    expect(propensities).toEqual(record.propensities)
    const ids = [...record.candidates, ...record.excluded].map(({ contentId }) => contentId)
    for (const id of ids) expect(candidates.filter(({ contentId }) => contentId === id)).toHaveLength(1)
    expect(text).toContain(`${record.contentIds[0]} was shown because `)
  })

  it.each(RECORDS)('that 0.1.0 wrote, %s, changed afterwards, is not reproduced', (_what, record) => {
    const [first, ...others] = record.contentIds
    const changes = [
      ...(others.length > 0 ? [{ contentIds: [...others, first!] }] : []),
      { contentIds: ['another', ...others] },
      { contentIds: record.contentIds.concat('another'), propensities: [...record.propensities, 1] },
      { propensities: record.propensities.map(chance => chance * 0.99) },
    ]
    for (const changed of changes) {
      const { reproduced, text } = explainDecision({ ...record, ...changed })
      expect(reproduced, JSON.stringify(changed)).toBe(false)
      expect(text).toContain('Not reproduced: the numbers of the record draw something else.')
    }
  })

  it('tells a marketer why something was shown, and why others were not', () => {
    const contents = [
      content('far', { where: { 'context.country': 'DE' } }),
      content('one'),
      content('past', { endsAt: '2020-01-01T00:00:00Z' }),
      content('sold', { stock: 0 }),
      content('two'),
    ]
    const record = recordOf({ contents, context: { country: 'FR' } })
    expect(explainDecision(record)).toEqual({
      reproduced: true,
      text: `one was shown because it was drawn at random from 2, all equally likely (chance 50 %); also possible: two (50 %); not shown: far, context.country is "FR", wanted "DE"; past, it has ended; sold, it is out of stock. ${SAME}`,
      unnamed: 0,
      candidates: [
        { contentId: 'one', propensity: 0.5, position: 1, shown: true, excluded: null },
        { contentId: 'two', propensity: 0.5, position: null, shown: false, excluded: null },
        missed('far', 'condition', 'context.country is "FR", wanted "DE"'),
        missed('past', 'ended', 'it has ended'),
        missed('sold', 'out_of_stock', 'it is out of stock'),
      ],
    })
  })

  it('counts a cap as the record does, in the words of the contract', () => {
    const policy = { type: 'fixed' as const, contentIds: ['offer', 'else'] }
    const record = recordOf({ slot: slot({ policy }), contents: [content('else'), content('offer')] })
    const [excluded] = [{ contentId: 'offer', reason: 'capped', detail: '3 of 3 per 24h' }]
    const draw = {
      contents: 'ek',
      stages: [{ of: 1, lottery: { rule: 'ranked' as const, exploration: 0, ranks: [0] }, drawn: [0] }],
    }
    const capped = {
      ...record,
      contentIds: ['else'],
      candidates: record.candidates.slice(1),
      excluded: [excluded!],
      draw,
    }
    expect(explainDecision(capped)).toMatchObject({
      reproduced: true,
      text: `else was shown because nothing else was left to be shown; not shown: offer, capped 3 of 3 in 24h. ${SAME}`,
      candidates: [{ contentId: 'else' }, missed('offer', 'capped', '3 of 3 in 24h')],
    })
    const inSession = { ...capped, excluded: [{ ...excluded!, detail: '1 of 1 per session' }] }
    expect(explainDecision(inSession).candidates[1]?.excluded?.detail).toBe('1 of 1 in this session')
  })

  it('does not say that nothing was left where the list of a slot has no more', () => {
    const policy = { type: 'fixed' as const, contentIds: ['b'] }
    const contents = ['a', 'b', 'c'].map(id => content(id))
    expect(explainDecision(recordOf({ slot: slot({ policy }), contents }), ['a', 'b', 'c']).text).toBe(
      `b was shown because it comes next on the slot's list. ${SAME}`,
    )
    expect(explainDecision(recordOf({ slot: slot({ policy }), contents: [content('b')] })).text).toBe(
      `b was shown because nothing else was left to be shown. ${SAME}`,
    )
  })

  it('says of a slate why each position has its content, and which campaign it came from', () => {
    const contents = ['a', 'b', 'c', 'd'].map(id => content(id))
    const campaigns = [
      { id: 'boost', mode: 'boost' as const, contentIds: ['c'] },
      { id: 'news', mode: 'pin' as const, contentIds: ['b'] },
    ]
    const record = recordOf({ slot: slot({ count: 3, campaigns }), contents })
    const { text, candidates, reproduced } = explainDecision(record)
    const [, , third] = record.contentIds
    const rest = third === 'a' ? 'd' : 'a'
    expect(record.contentIds.slice(0, 2)).toEqual(['b', 'c'])
    expect(reproduced).toBe(true)
    expect(text).toBe(
      `b was shown because the campaign "news" pins it; c was shown because the campaign "boost" puts its contents first, and nothing else was left to be shown; ${third} was shown because it was drawn at random from 2, all equally likely (chance 50 %); also possible: ${rest} (50 %). ${SAME}`,
    )
    expect(candidates.map(({ position }) => position)).toEqual([1, 2, 3, null])
  })

  it.each([
    [1, ['a'], 'the campaign "news" fills all positions'],
    [2, ['a', 'c'], 'campaigns fill all positions: "news", "boost"'],
  ])('says of what campaigns left no room for that they filled all %i positions', (count, shown, detail) => {
    const contents = ['a', 'b', 'c', 'd'].map(id => content(id))
    const campaigns = [
      { id: 'boost', mode: 'boost' as const, contentIds: ['c'] },
      { id: 'news', mode: 'pin' as const, contentIds: ['a'] },
    ]
    for (const holdout of [0, 1]) {
      const record = recordOf({ slot: slot({ count, campaigns, holdout }), contents })
      const { text, candidates, reproduced } = explainDecision(record, ['a', 'b', 'c', 'd'])
      expect(reproduced).toBe(true)
      const excluded = { reason: 'displaced', detail }
      expect(candidates.filter(({ position }) => position !== null).map(({ contentId }) => contentId)).toEqual(shown)
      const others = candidates.filter(({ position }) => position === null)
      expect(others).toHaveLength(4 - count)
      for (const other of others) expect(other).toMatchObject({ propensity: 0, shown: false, excluded })
      expect(text).toContain(`not shown: ${others.map(({ contentId }) => `${contentId}, ${detail}`).join('; ')}`)
    }
  })

  it('does not say so where the policy fills a position, or nothing is drawn', () => {
    const contents = ['a', 'b', 'c'].map(id => content(id))
    const campaigns = [{ id: 'news', mode: 'pin' as const, contentIds: ['a'] }]
    const policy = { type: 'fixed' as const, contentIds: ['b'] }
    const record = recordOf({ slot: slot({ count: 2, campaigns, policy }), contents })
    const { candidates } = explainDecision(record, ['a', 'b', 'c'])
    expect(candidates.map(({ excluded }) => excluded)).toEqual([null, null, null])
  })

  it('names likelier contents when something was tried out', () => {
    const affinity = { ...RECORDS.find(([what]) => what === 'affinity')![1], policy: 'affinity' }
    expect(explainDecision(affinity).text).toContain("because it fits the visitor's interests best, of ")
    const lottery = { rule: 'ranked' as const, exploration: 0.5, ranks: [0, 1, 1] }
    const stages = [{ of: 3, lottery, drawn: [1] }]
    const tried = { ...affinity, contentIds: ['b'], candidates: [], excluded: [], draw: { contents: 'e3', stages } }
    expect(explainDecision(tried).text).toContain(
      'b was shown because it was tried out: 1 of 3 was likelier, and policies find out what is good by showing others now and then (chance 16.7 %)',
    )
  })

  it('says what those who are held out would have seen', () => {
    const held = recordOf({ slot: slot({ holdout: 1 }), contents: [content('a'), content('b')] })
    const { reproduced, text, candidates } = explainDecision(held)
    const [ghost] = held.ghost!
    expect(reproduced).toBe(true)
    expect(text).toBe(
      `Nothing was shown because the visitor is held out, to compare those who see something with those who do not; ${ghost} would have been shown because it was drawn at random from 2, all equally likely (chance 50 %); also possible: ${ghost === 'a' ? 'b' : 'a'} (50 %). ${SAME}`,
    )
    expect(candidates.map(({ shown, position }) => [shown, position])).toEqual([
      [false, 1],
      [false, null],
    ])
    expect(explainDecision({ ...held, ghost: ['c'] }).reproduced).toBe(false)
  })

  it('says why nothing was shown', () => {
    expect(explainDecision(recordOf({})).text).toBe(`Nothing was shown because the slot had no content. ${SAME}`)
    expect(explainDecision(recordOf({ contents: [content('a', { stock: 0 })] })).text).toBe(
      `Nothing was shown because none of its contents could be shown; not shown: a, it is out of stock. ${SAME}`,
    )
  })

  it.each([
    ['timeout', 'no answer was ready in time'],
    ['unavailable', 'no process could decide or record at that moment'],
    ['unknown_slot', 'there was no slot of that name'],
  ] as const)('reproduces that nothing was drawn: %s', (outcome, why) => {
    const nothing = { ...recordOf({}), draw: undefined as never, outcome }
    expect(explainDecision(nothing)).toMatchObject({
      reproduced: true,
      text: `Nothing was shown because ${why}. There was nothing to draw.`,
    })
    expect(explainDecision({ ...nothing, contentIds: ['a'] }).reproduced).toBe(false)
  })

  it('compares what is in a record of the first form with what was left for its position', () => {
    const [, first] = RECORDS.find(([what]) => what === 'first form, 0')!
    expect(explainDecision({ ...first, policy: 'affinity' }).text).toBe(
      `hats2 was shown because it fits the visitor's interests best, of 4 (chance 85 %); shoes0 was shown because it fits the visitor's interests best, of 3 (chance 46.7 %); bags3 was shown because it was tried out: 1 of 2 was likelier, and policies find out what is good by showing others now and then (chance 10 %); also possible: shoes1 (5 %). ${SAME}`,
    )
  })

  it('lists what an imported record says, and that it cannot be drawn again', () => {
    const imported: ExplainedRecord = {
      outcome: 'served',
      policy: 'banner-server',
      contentIds: ['a'],
      propensities: [0.25],
      candidates: [
        { contentId: 'a', score: 0, probability: 0.25 },
        { contentId: 'b', score: 0, probability: 0.75 },
      ],
      excluded: [{ contentId: '<b>c</b>', reason: 'frequency' }],
      features: {},
      seed: '',
    }
    expect(explainDecision(imported)).toMatchObject({
      reproduced: false,
      text: "a was shown because it was tried out: 1 of 2 was likelier, and policies find out what is good by showing others now and then (chance 25 %); also possible: b (75 %); not shown: <b>c</b>, frequency. Not drawn again: it was imported from another system's log, which does not say how it was drawn.",
      candidates: [{ contentId: 'a', shown: true }, { contentId: 'b' }, missed('<b>c</b>', 'frequency', 'frequency')],
    })
  })

  it('invents nothing where an imported record lists no candidates', () => {
    const bare = { outcome: 'served' as const, contentIds: ['a'], candidates: [], excluded: [], features: {}, seed: '' }
    const says = (propensities: number[]) => explainDecision({ ...bare, propensities }).text
    expect(says([0.25])).toContain(
      'a was shown because its log says so, without what else could have been (chance 25 %). ',
    )
    expect(says([])).toContain('a was shown because its log says so, without what else could have been. ')
  })

  it('names what is recorded of a large slot and counts the rest; the catalog of its version names all', () => {
    const names = Array.from({ length: 60 }, (_, n) => `c${String(n).padStart(2, '0')}`)
    const contents = names.map((id, n) => content(id, n % 2 ? { stock: 0 } : {}))
    const record = recordOf({ slot: slot({ count: 3 }), contents })
    const alone = explainDecision(record)
    expect(alone).toMatchObject({ reproduced: true, unnamed: 60 - alone.candidates.length })
    expect(alone.candidates.slice(0, 3).map(({ contentId }) => contentId)).toEqual(record.contentIds)
    expect(alone.text).toContain(`; ${alone.unnamed} more of the slot, whose names are not recorded.`)
    for (const { contentId, excluded } of alone.candidates)
      expect(excluded === null).toBe(Number(contentId.slice(1)) % 2 === 0)

    const whole = explainDecision(record, names)
    expect(whole.unnamed).toBe(0)
    expect(whole.candidates).toHaveLength(60)
    for (const { contentId, excluded } of whole.candidates)
      expect(excluded === null).toBe(Number(contentId.slice(1)) % 2 === 0)
    // A version that says otherwise than the record is not believed.
    expect(explainDecision(record, [...names].reverse())).toEqual(alone)
    expect(explainDecision(record, names.slice(1))).toEqual(alone)
  })
})

function missed(contentId: string, reason: string, detail: string) {
  return { contentId, propensity: 0, position: null, shown: false, excluded: { reason, detail } }
}
