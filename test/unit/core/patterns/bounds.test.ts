import { type PatternDefinition, parsePatternStates, type StoredMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { MAX_RUNS } from '#core/patterns/bounds.js'
import { BUILTIN_PATTERNS } from '#core/patterns/builtin.js'
import { explainPattern } from '#core/patterns/explain.js'
import { compiled, END, MINUTE, message, run, START, stored } from './found.js'

/** Characters that take most bytes in JSON. */
const WIDE = '\u0001'

/** Definitions of every form, with all that makes their states large. */
const DEFINITIONS: PatternDefinition[] = [
  {
    name: 'sequence',
    sequence: [
      { event: 'A', key: 'properties.k' },
      { event: 'A', key: 'properties.k' },
      { not: { event: 'N', key: 'properties.k' } },
      { event: '*', key: 'properties.k' },
      { not: [{ event: 'N', key: 'properties.k' }, { event: 'B' }], within: '10m' },
    ],
    grace: '5m',
    quiet: '1h',
  },
  { name: 'count', event: '*', key: 'properties.k', count: 500, grace: '5m' },
  { name: 'sum', event: '*', key: 'properties.k', value: 'properties.v', sum: 1_000_000_000, grace: '5m', quiet: '1h' },
  { name: 'after', event: '*', after: '1s', grace: '5m', quiet: '1s' },
  { name: 'changed', event: '*', changed: 'properties.k', grace: '5m' },
]

/** Messages with as many and as long keys and ids as there may be. */
function messages(count: number): StoredMessage[] {
  return Array.from({ length: count }, (_, index) => {
    const id = (text: string) => `${text}${index}${WIDE.repeat(200)}`
    const k = Array.from({ length: 12 }, (_, place) => `${place}-${id('k')}`)
    const at = START + index * 7_001
    return message(id('m'), at, ['A', 'A', 'N', 'C'][index % 4]!, { properties: { k, v: 0.1 + index / 1e6 } })
  })
}

describe('the state of patterns', () => {
  it.each(DEFINITIONS)('stays within what its explanation says: $name', definition => {
    const patterns = compiled([definition])
    const { bytesAtMost } = explainPattern(definition).state
    let most = 0
    const all = messages(300)
    run(patterns, all, undefined, state => {
      most = Math.max(most, Buffer.byteLength(JSON.stringify(state?.of ?? {})))
      return state
    })
    expect(most).toBeLessThanOrEqual(bytesAtMost)
    // The bound is one that means something.
    expect(most).toBeGreaterThan(bytesAtMost / 8)
  })

  it('can be parsed as it was stored, and nothing else can', () => {
    const patterns = compiled([...DEFINITIONS, ...BUILTIN_PATTERNS])
    const state = stored(run(patterns, messages(60)).state)!
    expect(parsePatternStates(state)).toEqual({ ok: true, value: state })
    const wrong: unknown[] = [null, [], { version: 1, of: {} }, { version: 'a', of: [] }, { ...state, due: '1' }]
    for (const list of ['pending', 'runs', 'refuters', 'told', 'windows', 'quiet'])
      for (const value of [1, {}, [1], [{}], [null]])
        wrong.push({ version: 'a', of: { sequence: { version: 'b', [list]: value } } })
    for (const latest of [1, {}, { at: 'x' }, { at: 1, value: 2 }])
      wrong.push({ version: 'a', of: { x: { version: 'b', latest } } })
    expect(wrong.filter(value => parsePatternStates(value).ok)).toEqual([])
  })

  it('drops the sequences whose latest message is oldest', () => {
    const patterns = compiled([
      {
        name: 'a',
        sequence: [
          { event: 'A', key: 'properties.k' },
          { not: { event: 'N' }, within: '1h' },
        ],
      },
    ])
    const all = Array.from({ length: MAX_RUNS + 2 }, (_, index) =>
      message(`m${index}`, START + index, 'A', { properties: { k: index } }),
    )
    const { found } = run(patterns, [...all, { fireAt: END }])
    expect(found.map(({ messageId }) => messageId)).toEqual(all.slice(2).map(({ messageId }) => messageId))
  })

  it('takes the oldest message before its time when too many wait for the grace', () => {
    const patterns = compiled([{ name: 'a', event: 'A', count: 100, grace: '1h' }])
    const all = Array.from({ length: 100 }, (_, index) => message(`m${index}`, START + index, 'A'))
    expect(run(patterns, all).found).toEqual([])
    expect(run(patterns, [...all, { fireAt: END }]).found.map(({ messageId }) => messageId)).toEqual(['m99'])
  })
})

describe('another set of patterns', () => {
  const one = { name: 'one', event: 'A', count: 2 }
  const other = { name: 'other', event: 'A', count: 2 }
  const two = [message('m1', START, 'A'), message('m2', START + MINUTE, 'A')] as const

  it('goes on with the state of those that stayed, and drops that of those that changed or went', () => {
    const before = run(compiled([one, other]), [two[0]]).state
    const after = compiled([
      { ...one, description: 'a note' },
      { ...other, within: '1h' },
    ])
    expect(run(after, [two[1]], before).found.map(({ pattern }) => pattern)).toEqual(['one'])
    expect(Object.keys(run(compiled([one]), [two[1]], before).state!.of)).toEqual(['one'])
  })

  it('knows no due time of those that went', () => {
    const absence = { name: 'absence', sequence: [{ event: 'A' }, { not: { event: 'N' }, within: '1h' }] }
    const before = run(compiled([one, absence]), [two[0]])
    expect(before.due).toBe(START + 60 * MINUTE)
    expect(run(compiled([one]), [{ fireAt: END }], before.state)).toMatchObject({ found: [] })
    expect(run(compiled([one]), [{ fireAt: END }], before.state).due).toBeUndefined()
  })

  it('may have names that every object inherits', () => {
    const patterns = compiled([{ ...one, name: 'constructor' }])
    expect(run(patterns, two, undefined, stored).found.map(({ pattern }) => pattern)).toEqual(['constructor'])
  })
})
