import { describe, expect, it } from 'vitest'
import { createDsjsonReader } from '#aggregator/commands/learning/logs/dsjson.js'
import { createOpenBanditReader } from '#aggregator/commands/learning/logs/open-bandit.js'
import { parseArguments } from '#aggregator/commands/learning/parse-arguments.js'

const at = Date.parse('2019-11-24T10:00:00Z')

describe('a line of Open Bandit', () => {
  const HEADER = ',timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0'

  it('is an item that was shown, with the features of the user as context', () => {
    const reader = createOpenBanditReader()
    expect(reader.read(HEADER)).toEqual([])
    expect(reader.read('')).toEqual([])
    expect(reader.read('7,2019-11-24 10:00:00.000001+00:00,14,3,1,0.03,81ce,0.0')).toEqual([
      { contentId: 'item-14', position: 3, at, reward: 1, context: { user_feature_0: '81ce' } },
    ])
  })

  it.each([
    ['0,2019-11-24 10:00:00+00:00,14,3,1,0.03,81ce', 'line 2: it has 7 fields, the header 8'],
    ['0,soon,14,3,1,0.03,81ce,0', 'line 2: timestamp is not a time'],
    ['0,2019-11-24 10:00:00+00:00,tent,3,1,0.03,81ce,0', 'item_id is not a whole number'],
    ['0,2019-11-24 10:00:00+00:00,14,0,1,0.03,81ce,0', 'position is not a whole number from 1'],
    ['0,2019-11-24 10:00:00+00:00,14,3,yes,0.03,81ce,0', 'click is not 0 or 1'],
  ])('that is none is rejected: %s', (line, fault) => {
    const reader = createOpenBanditReader()
    reader.read(HEADER)
    expect(() => reader.read(line)).toThrow(fault)
  })

  it('needs its columns', () => {
    expect(() => createOpenBanditReader().read('timestamp,item')).toThrow('there is no column item_id, position, click')
  })
})

describe('a line of DSJSON', () => {
  const LINE = {
    _label_cost: -0.5,
    _label_probability: 0.8,
    _label_Action: 2,
    _labelIndex: 1,
    o: [{ EventId: 'e1', v: 0.5 }],
    Timestamp: '2019-11-24T10:00:00.000Z',
    Version: '1',
    EventId: 'e1',
    a: [2, 1],
    c: {
      _synthetic: false,
      User: { isNew: true, _age: 1 },
      FromUrl: [
        { timeOfDay: 'Morning', temperature: 20.5 },
        { plan: 'pro', deep: { er: { than: { that: 1 } } } },
      ],
      _multi: [
        { _tag: 'tents', i: { constant: 1 } },
        { i: { constant: 1, id: 'lamps' }, j: [{ price: 3 }] },
      ],
    },
    p: [0.8, 0.2],
    VWState: { m: 'model' },
  }
  const read = (line: unknown) => createDsjsonReader().read(JSON.stringify(line))

  it('is the action that was shown first, with its cost as reward and the shared features as context', () => {
    const context = { isNew: true, timeOfDay: 'Morning', temperature: 20.5, plan: 'pro' }
    const shown = { contentId: 'lamps', position: 1, at, reward: 0.5, context }
    expect(read(LINE)).toEqual([shown])
    expect(read({ ...LINE, a: [1, 2], _label_cost: 0 })).toEqual([{ ...shown, contentId: 'tents', reward: 0 }])
    const { a: _ranking, ...single } = LINE
    expect(read(single)).toEqual([shown])
    const named = (action: unknown) => read({ ...LINE, a: [1], c: { _multi: [action] } })[0]?.contentId
    expect([{ id: 7 }, { id: 'x', _tag: 'y' }, { i: 3 }, 'tent'].map(named)).toEqual(['7', 'x', 'action-1', 'action-1'])
    expect([{ i: { id: 'x' } }, { j: [{ kind: 'a' }, { id: 'y' }] }].map(named)).toEqual(['x', 'y'])
  })

  it('says nothing where nothing was decided, or nothing is to be learned', () => {
    expect(createDsjsonReader().read(' ')).toEqual([])
    expect(read({ RewardValue: 1, EventId: 'e1' })).toEqual([])
    expect(read({ ...LINE, _skipLearn: true })).toEqual([])
  })

  it('has a context without the means of objects, and bounded', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, n]))
    const hostile = JSON.parse('{"x": {"__proto__": "polluted", "constructor": 1}}')
    const [first] = read({ ...LINE, c: { ...hostile, _multi: LINE.c._multi } })
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(Object.keys(first!.context)).toEqual(['constructor'])
    expect(Object.keys(read({ ...LINE, c: { many, _multi: LINE.c._multi } })[0]!.context)).toHaveLength(100)
  })

  it.each([
    ['{', 'line 1: it is not JSON'],
    ['[]', 'line 1: it is not a JSON object'],
    [{ ...LINE, Timestamp: 5 }, 'Timestamp is not a time'],
    [{ ...LINE, _label_cost: '1' }, '_label_cost is not a number'],
    [{ ...LINE, a: ['x'] }, 'a does not begin with the number of an action'],
    [{ ...LINE, a: [3] }, 'c._multi has no action 3'],
    [{ ...LINE, c: {} }, 'c has no list _multi of actions'],
  ])('that is none is rejected: %j', (line, fault) => {
    const text = typeof line === 'string' ? line : JSON.stringify(line)
    expect(() => createDsjsonReader().read(text)).toThrow(fault)
  })
})

describe('the command line', () => {
  it('is an order', () => {
    expect(parseArguments(['import', '--site', 'shop', '--slot', 'hero', '--log', 'a/old.csv'])).toEqual({
      ...{ do: 'import', site: 'shop', slot: 'hero', log: 'a/old.csv', name: 'old.csv', keepTimes: false },
    })
    expect(parseArguments(['remove', '--site', 'shop', '--name', 'old'])).toEqual({
      do: 'remove',
      site: 'shop',
      name: 'old',
    })
    expect(parseArguments(['list', '--site', 'shop'])).toEqual({ do: 'list', site: 'shop' })
  })

  it.each([
    [[]],
    [['list']],
    [['list', '--site', 'A b']],
    [['import', '--site', 'shop', '--slot', 'hero']],
    [['remove', '--site', 'shop']],
    [['import', '--site', 'shop', '--slot', 'hero', '--log', 'x', '--format', 'csv']],
    [['import', '--site', 'shop', '--slot', 'hero', '--log', 'x', '--forat', 'csv']],
  ])('that is none tells how it should be: %j', args => {
    expect(() => parseArguments(args)).toThrow('usage: npm run learning')
  })
})
