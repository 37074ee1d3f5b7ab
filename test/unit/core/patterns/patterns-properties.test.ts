import type { CountPattern, PatternDefinition, SequencePattern, StoredMessage, SumPattern } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_REFUTERS } from '#core/patterns/bounds.js'
import type { Match } from '#core/patterns/compiled.js'
import { type Arrival, compiled, END, MINUTE, message, run, START, stored } from './found.js'
import { type Expected, sequencesIn, windowsIn } from './reference.js'

const GRACE = 3 * MINUTE

const [A, B, C, N] = ['A', 'B', 'C', 'N'].map(event => ({ event })) as [{ event: string }, ...{ event: string }[]]
const keyed = ({ event }: { event: string } = A) => ({ event, key: 'properties.k' })

/** Sequences of all forms. */
const SEQUENCES: SequencePattern[] = [
  { name: 'absence', sequence: [keyed(A), { not: keyed(N), within: '5m' }] },
  { name: 'absence-of-any', sequence: [keyed(A), { not: [N!, keyed(B)], within: '4m' }] },
  { name: 'three', sequence: [A, B!, C!], within: '10m' },
  { name: 'keyed', sequence: [keyed(A), B!, keyed(C)] },
  { name: 'twice', sequence: [keyed(A), keyed(A), keyed(A)], within: '6m' },
  { name: 'between', sequence: [A, { not: N! }, B!, { not: [N!, A] }, C!], within: '12m' },
  { name: 'then-absence', sequence: [keyed(A), { not: N! }, keyed(B), { not: keyed(C), within: '3m' }], within: '8m' },
  { name: 'absence-then', sequence: [keyed(A), { not: keyed(N), within: '3m' }, B!], within: '15m' },
  { name: 'absences', sequence: [A, { not: N!, within: '2m' }, B!, { not: C!, within: '2m' }] },
]

const WINDOWS: (CountPattern | SumPattern)[] = [
  { name: 'count', event: 'A', key: 'properties.k', count: 3, within: '6m' },
  { name: 'count-any', event: '*', count: 4, within: '3m' },
  { name: 'sum', event: '*', value: 'properties.v', sum: 10, within: '5m' },
  { name: 'sum-keyed', event: '*', key: 'properties.k', value: 'properties.v', sum: 9, within: '7m' },
]

const OTHERS: PatternDefinition[] = [
  { name: 'quiet', event: 'B', count: 2, within: '6m', quiet: '5m' },
  { name: 'return', event: '*', after: '4m' },
  { name: 'change', event: '*', changed: 'properties.k', within: '2m' },
]

const ALL = [...SEQUENCES, ...WINDOWS, ...OTHERS]
const plain = compiled(ALL)
const patient = compiled(ALL.map(pattern => ({ ...pattern, grace: '3m' })))

/** Messages in the order of their times, some of them equal. */
const messages: fc.Arbitrary<StoredMessage[]> = fc
  .array(
    fc.record({
      minutes: fc.nat({ max: 40 }),
      event: fc.constantFrom('A', 'A', 'B', 'C', 'N', 'X'),
      k: fc.constantFrom('x', 'y', undefined),
      v: fc.nat({ max: 8 }),
    }),
    { maxLength: 14 },
  )
  .map(list =>
    list
      .toSorted((one, other) => one.minutes - other.minutes)
      .map(({ minutes, event, k, v }, index) =>
        message(`m${String(index).padStart(2, '0')}`, START + (minutes * MINUTE) / 2, event, {
          properties: { ...(k !== undefined && { k }), v },
        }),
      ),
  )

const timeOf = ({ timestamp }: StoredMessage) => Date.parse(timestamp)
const END_OF_ALL: Arrival = { fireAt: END }

/** Messages as they arrive, each at most the grace late, with times between them at which what is due is done. */
const late = messages.chain(list =>
  fc
    .record({
      delays: fc.array(fc.nat({ max: GRACE / 1000 }), { minLength: list.length, maxLength: list.length }),
      fires: fc.array(fc.nat({ max: 60 * 60 }), { maxLength: 8 }),
    })
    .map(({ delays, fires }) => {
      const arrivals = [
        ...list.map((one, index) => ({ at: timeOf(one) + delays[index]! * 1000, arrival: one as Arrival })),
        ...fires.map(second => ({ at: START + second * 1000, arrival: { fireAt: START + second * 1000 } as Arrival })),
      ]
      return { list, arrivals: arrivals.toSorted((one, other) => one.at - other.at).map(({ arrival }) => arrival) }
    }),
)

/** Messages in any order, with times between them. */
const anyOrder = fc.tuple(messages, fc.array(fc.nat({ max: 60 }), { maxLength: 6 })).chain(([list, fires]) =>
  fc.shuffledSubarray<Arrival>([...list, ...fires.map(minutes => ({ fireAt: START + minutes * MINUTE }))], {
    minLength: list.length + fires.length,
  }),
)

function sorted(found: readonly Match[]): Match[] {
  const text = (match: Match) => JSON.stringify([match.pattern, match.at, match.id, match.retracted ?? false])
  return found.toSorted((one, other) => (text(one) < text(other) ? -1 : 1))
}

function expectedOf({ at, messageId, details }: Match): Expected {
  return { at, messageId, key: String(details.key ?? '') }
}

const inOrder = (list: Expected[]) =>
  list.toSorted((one, other) => one.at - other.at || (one.messageId + one.key < other.messageId + other.key ? -1 : 1))

describe('patterns', () => {
  it.each(SEQUENCES)('find what trying all ways through the messages finds: $name', pattern => {
    const patterns = compiled([pattern])
    fc.assert(
      fc.property(messages, list => {
        const { found } = run(patterns, [...list, END_OF_ALL])
        expect(inOrder(found.map(expectedOf))).toEqual(inOrder(sequencesIn(pattern, list)))
      }),
      { numRuns: 150 },
    )
  })

  it.each(WINDOWS)('find what looking back from each message finds: $name', pattern => {
    const patterns = compiled([pattern])
    fc.assert(
      fc.property(messages, list => {
        expect(run(patterns, list).found.map(expectedOf)).toEqual(windowsIn(pattern, list))
      }),
      { numRuns: 300 },
    )
  })

  it('find the same in any order within the grace, and remember the same', () => {
    fc.assert(
      fc.property(late, ({ list, arrivals }) => {
        const one = run(patient, [...list, END_OF_ALL])
        const other = run(patient, [...arrivals, END_OF_ALL])
        expect(sorted(other.found)).toEqual(sorted(one.found))
        expect(other.state).toEqual(one.state)
      }),
      { numRuns: 250 },
    )
  })

  it('find with a grace what they find without in messages that are in order', () => {
    fc.assert(
      fc.property(messages, list => {
        const one = run(plain, [...list, END_OF_ALL]).found
        expect(sorted(run(patient, [...list, END_OF_ALL]).found)).toEqual(sorted(one))
      }),
      { numRuns: 150 },
    )
  })

  it('go on from any stored state as if it had not been stored', () => {
    fc.assert(
      fc.property(anyOrder, fc.constantFrom(plain, patient), (arrivals, patterns) => {
        const one = run(patterns, [...arrivals, END_OF_ALL])
        const other = run(patterns, [...arrivals, END_OF_ALL], undefined, stored)
        expect(other.found).toEqual(one.found)
        expect(other.state).toEqual(stored(one.state))
      }),
      { numRuns: 150 },
    )
  })

  it('find the same signals again, under the same ids, when a crash goes back to an earlier state', () => {
    fc.assert(
      fc.property(anyOrder, fc.nat(), fc.nat(), (arrivals, one, other) => {
        const all = [...arrivals, END_OF_ALL]
        const [from, to] = [one % (all.length + 1), other % (all.length + 1)].toSorted((a, b) => a - b) as [
          number,
          number,
        ]
        const before = run(plain, all.slice(0, from))
        const lost = run(plain, all.slice(from, to), before.state)
        const after = run(plain, all.slice(from), stored(before.state))
        const ids = (found: Match[]) =>
          new Set(found.map(({ pattern, id, retracted }) => `${pattern} ${id} ${retracted}`))
        expect(ids([...before.found, ...lost.found, ...after.found])).toEqual(ids(run(plain, all).found))
      }),
      { numRuns: 150 },
    )
  })

  it('tell each signal once, and take back once what was told, in any order of arrival', () => {
    fc.assert(
      fc.property(anyOrder, fc.constantFrom(plain, patient), (arrivals, patterns) => {
        const told = new Set<string>()
        const retracted = new Set<string>()
        for (const match of run(patterns, [...arrivals, END_OF_ALL]).found) {
          const id = `${match.pattern} ${match.id}`
          const into = match.retracted ? retracted : told
          expect(into.has(id), `${id} once`).toBe(false)
          expect(!match.retracted || told.has(id), `${id} first`).toBe(true)
          into.add(id)
        }
      }),
      { numRuns: 250 },
    )
  })

  it.each(SEQUENCES.slice(0, 2))(
    'have told in the end, in any order of arrival, what an order by time tells: $name',
    pattern => {
      const patterns = compiled([pattern])
      fc.assert(
        fc.property(anyOrder, arrivals => {
          const list = arrivals
            .filter(arrival => 'messageId' in arrival)
            .toSorted((one, other) => timeOf(one) - timeOf(other))
          // As many as are remembered for what arrives after them; at equal times the order of arrival counts.
          fc.pre(list.length <= MAX_REFUTERS && new Set(list.map(timeOf)).size === list.length)
          const { found } = run(patterns, [...arrivals, END_OF_ALL])
          const isRetracted = ({ id }: Match) => found.some(other => other.retracted && other.id === id)
          const told = found.filter(match => !isRetracted(match))
          expect(inOrder(told.map(expectedOf))).toEqual(inOrder(sequencesIn(pattern, list)))
        }),
        { numRuns: 1000 },
      )
    },
  )

  it('do what is due at the time that they name, and nothing before it', () => {
    fc.assert(
      fc.property(anyOrder, fc.constantFrom(plain, patient), (arrivals, patterns) => {
        const { state, due } = run(patterns, arrivals)
        if (due === undefined) expect(run(patterns, [END_OF_ALL], state).state).toBe(state)
        else {
          expect(run(patterns, [{ fireAt: due - 1 }], state)).toEqual({ found: [], state, due })
          expect(run(patterns, [{ fireAt: due }], state).due ?? END).toBeGreaterThan(due)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('leave the state that they are given as it was', () => {
    fc.assert(
      fc.property(anyOrder, fc.constantFrom(plain, patient), (arrivals, patterns) => {
        run(patterns, arrivals, undefined, state => frozen(state))
      }),
    )
  })
})

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const child of Object.values(value)) frozen(child)
  return Object.freeze(value)
}
