import { describe, expect, it } from 'vitest'
import { faultsOf } from './found.js'

const A = { event: 'A' }
const N = { event: 'N' }

/** Definitions that are wrong, and the lines that say so. */
const WRONG: [what: string, definition: unknown, faults: string[]][] = [
  ['no object', 'A', ['patterns[0]: must be an object, not "A"']],
  [
    'nothing to look for',
    { name: 'a' },
    ['patterns[0]: what it looks for is missing, give it one of sequence, count, sum, after, changed'],
  ],
  [
    'a misspelt field that says what it looks for',
    { name: 'a', sequenz: [A] },
    ['patterns[0].sequenz: unknown field, did you mean "sequence"?'],
  ],
  [
    'two things to look for',
    { name: 'a', event: 'A', count: 2, after: '7d' },
    ['patterns[0].after: goes not with count, leave one of them out'],
  ],
  [
    'a misspelt field',
    { name: 'a', sequence: [A], witin: '5m' },
    ['patterns[0].witin: unknown field, did you mean "within"?'],
  ],
  [
    'a field of another kind',
    { name: 'a', sequence: [A], count: undefined, value: 'properties.price' },
    ['patterns[0].count: goes not with sequence, leave one of them out'],
  ],
  [
    'a bad name',
    { name: 'left cart', sequence: [A] },
    ['patterns[0].name: must be text of 1 to 100 letters, digits, "_" and "-", not "left cart"'],
  ],
  [
    'the name of a detector',
    { name: 'interest_shift', sequence: [A] },
    ['patterns[0].name: "interest_shift" is the name of a detector'],
  ],
  [
    'no duration',
    { name: 'a', sequence: [A], within: '1 h' },
    [
      'patterns[0].within: must be a duration such as 30s, 10m, 24h or 7d, from 1s to 400d, not "1 h": did you mean "1h"?',
    ],
  ],
  [
    'too long a grace',
    { name: 'a', sequence: [A], grace: '2d' },
    ['patterns[0].grace: must be a duration such as 0s, 30s or 5m, up to 24h, not "2d"'],
  ],
  [
    'no steps',
    { name: 'a', sequence: [] },
    ['patterns[0].sequence: must be a list of 1 to 8 steps, of which the first is a message, not a list'],
  ],
  [
    'faults of steps, all of them',
    { name: 'a', sequence: [A, { evnt: 'B' }, { event: 'C', where: 'x', key: 'properties.k' }] },
    [
      'patterns[0].sequence[1].evnt: unknown field, did you mean "event"?',
      'patterns[0].sequence[2].where: must be a condition, such as {"properties.price": {"$gt": 10}}, not "x"',
      'patterns[0].sequence[2].key: needs a key in the first step, whose value it is compared with',
    ],
  ],
  [
    'an absence first',
    { name: 'a', sequence: [{ not: N, within: '5m' }, A] },
    ['patterns[0].sequence[0].not: cannot be the first step, because an absence begins with a message'],
  ],
  [
    'an absence without end',
    { name: 'a', sequence: [A, { not: N }] },
    ['patterns[0].sequence[1].within: is missing, the last step must say how long the message stays away'],
  ],
  [
    'two absences in a row',
    { name: 'a', sequence: [A, { not: N }, { not: A, within: '5m' }] },
    ['patterns[0].sequence[2].not: follows another one, put both into one as a list'],
  ],
  [
    'faults in an absence',
    { name: 'a', sequence: [A, { not: [N, { event: '', key: 'properties.k' }, 'N'], within: '5m' }] },
    [
      'patterns[0].sequence[1].not[1].event: must be an event\'s name, a type such as page, or "*" for any message, not ""',
      'patterns[0].sequence[1].not[1].key: needs a key in the first step, whose value it is compared with',
      'patterns[0].sequence[1].not[2]: must be an object, not "N"',
    ],
  ],
  [
    'numbers',
    { name: 'a', event: 'A', count: 2.5 },
    ['patterns[0].count: must be a whole number from 1 to 500, not 2.5'],
  ],
  [
    'a sum without value',
    { name: 'a', event: 'A', sum: -1 },
    [
      'patterns[0].value: must be a path in the message, such as properties.cart_id, not nothing',
      'patterns[0].sum: must be a number above 0, of at most 1000000000, not -1',
    ],
  ],
  ['something else than off', { name: 'a', off: false }, ['patterns[0].off: must be true, or left out, not false']],
]

describe('faults of patterns', () => {
  it.each(WRONG)('are told by their field: %s', (_, definition, faults) => {
    expect(faultsOf(definition)).toEqual(faults)
  })

  it('are told of all patterns, each with its place', () => {
    expect(faultsOf({ name: 'a', sequence: [A] }, { name: 'a', event: 'A', count: 2 }, { name: 'b' })).toEqual([
      'patterns[1].name: "a" is the name of another pattern, too',
      'patterns[2]: what it looks for is missing, give it one of sequence, count, sum, after, changed',
    ])
  })

  it('are told of conditions, by the step that they are in', () => {
    const where = { 'properties.price': { $grater: 10 } }
    const faults = faultsOf(
      {
        name: 'a',
        sequence: [
          { ...A, where },
          { not: { ...N, where }, within: '5m' },
        ],
      },
      { name: 'b', event: 'A', where, count: 2 },
    )
    const paths = ['patterns[0].sequence[0]', 'patterns[0].sequence[1].not', 'patterns[1]']
    expect(faults.map(fault => fault.split(': ')[0])).toEqual(
      paths.map(path => `${path}.where.properties.price.$grater`),
    )
  })

  it('are none where a built-in pattern is off', () => {
    expect(faultsOf({ name: 'rage_clicks', off: true })).toEqual([])
  })
})
