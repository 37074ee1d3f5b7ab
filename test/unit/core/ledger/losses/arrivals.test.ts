import { type EventEnvelope, hash32, type StoredMessage } from '@slotstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_RETELLS, MAX_RUNS, strataOf } from '#core/ledger/losses/arrivals.js'
import { click, createVisitor, decision, HOUR, NOON, track, view } from '../some-decisions.js'

const DAY = 24 * HOUR
const numbered = (message: StoredMessage, seq: number, sessionId = 's1'): StoredMessage => ({
  ...message,
  context: { seq, sessionId },
})
const looked = (seq: number, afterMs = seq * 1_000, sessionId = 's1') =>
  numbered(track('Looked', afterMs), seq, sessionId)
const TODAY = Math.floor(NOON / DAY)
const RUN = hash32('s1')
/** Numbers from one to another. */
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** A visitor who was served a decision, viewed it as message 1 and clicked as message 2. */
function createClicker() {
  const visitor = createVisitor()
  visitor.serve(decision({ rewards: [{ event: 'Slot Clicked', windowHours: 2 }] }))
  visitor.send(numbered(view(1_000), 1))
  visitor.send(numbered(click(2_000), 2))
  return visitor
}

const strataTold = ({ records }: ReturnType<typeof createVisitor>) =>
  records.map(({ reward, stratum, previousStratum }) => [reward, stratum, previousStratum])

describe('the stratum of what an outcome earned', () => {
  it('is told with it, and once more when the browser turns out to lose more or less', () => {
    const visitor = createClicker()
    expect(strataTold(visitor)).toEqual([
      [0, undefined, undefined],
      [10_000, undefined, undefined],
    ])
    // Of the messages 2 to 4, two are missing; then they arrive, one after the other.
    visitor.send(looked(5))
    visitor.send(looked(4))
    visitor.send(looked(3))
    visitor.send(looked(6))
    expect(strataTold(visitor).slice(2)).toEqual([
      [10_000, 6, undefined],
      [10_000, 4, 6],
      [10_000, undefined, 4],
    ])
    expect(visitor.sums).toEqual({ 'd1 tent': 10_000 })
  })

  it('is that of none for what earned nothing, and for what a server told with a secret key', () => {
    const nothing = createVisitor()
    nothing.serve(decision())
    nothing.send(numbered(view(1_000), 1), looked(9))
    expect(strataTold(nothing)).toEqual([[0, undefined, undefined]])
    const told = createVisitor()
    told.serve(decision({ rewards: [{ event: 'Order Completed', windowHours: 2 }] }))
    told.send(numbered(view(1_000), 1), looked(9))
    const order = { messages: [track('Order Completed', 20_000)] } satisfies Partial<EventEnvelope>
    told.apply({ ...order, sender: 'secret' })
    expect(strataTold(told).at(-1)).toEqual([10_000, undefined, undefined])
  })

  it('does not count what is from before the first message, nor messages without a number or session', () => {
    const visitor = createVisitor()
    visitor.serve(decision({ rewards: [{ event: 'Slot Clicked', windowHours: 2 }] }))
    visitor.send(numbered(view(1_000), 501), click(2_000), track('Looked', 3_000), looked(502, 4_000))
    visitor.send({ ...track('Looked', 5_000), context: { seq: 900 } })
    expect(strataTold(visitor).at(-1)).toEqual([10_000, undefined, undefined])
    expect(visitor.profile.arrivals).toEqual([[TODAY, RUN, 501, 502, 2]])
  })

  it.each([0, -1, 1.5, '7', null, 2 ** 60])('takes no notice of a number that is none: %s', seq => {
    const visitor = createClicker()
    visitor.send({ ...looked(3), context: { seq, sessionId: 's1' } } as StoredMessage)
    expect(visitor.profile.arrivals).toEqual([[TODAY, RUN, 1, 2, 2]])
  })

  it('is of the days since the decision, and days before leave with the oldest decision', () => {
    const visitor = createClicker()
    visitor.send(looked(9))
    const later = { ...decision({ decisionId: 'd2', rewards: [{ event: 'Slot Clicked', windowHours: 2 }] }) }
    visitor.apply({ served: [{ ...later, at: NOON + 2 * DAY }] }, NOON + 2 * DAY)
    const second = [numbered(view(2 * DAY + 1, 'tent', 'd2'), 10), numbered(click(2 * DAY + 2, 'tent', 'd2'), 11)]
    visitor.sendAt(NOON + 2 * DAY + HOUR, ...second)
    // The losses of the first day are none of the second decision.
    const ofSecond = visitor.records.filter(({ decisionId }) => decisionId === 'd2')
    expect(ofSecond.map(({ reward, stratum }) => [reward, stratum])).toEqual([[10_000, undefined]])
    expect(visitor.profile.arrivals).toHaveLength(2)
    visitor.sendAt(NOON + 12 * DAY, track('Looked', 12 * DAY))
    visitor.sendAt(NOON + 30 * DAY, track('Looked', 30 * DAY))
    expect(visitor.profile.arrivals).toBeUndefined()
  })

  it.each([
    ['of two origins', range(50, 60), range(1_000, 1_010)],
    ['of storage that was cleared', range(500, 510), range(1, 10)],
  ])('never compares numbers of two counters: %s', (_name, first, second) => {
    const visitor = createClicker()
    visitor.send(
      ...first.map(seq => looked(seq, HOUR + seq, 's2')),
      ...second.map(seq => looked(seq, HOUR + seq, 's3')),
    )
    expect(strataOf(visitor.profile.arrivals!)({ at: NOON })).toBe(0)
    expect(strataTold(visitor).at(-1)).toEqual([10_000, undefined, undefined])
  })

  it('counts what is missing within a session over midnight', () => {
    const visitor = createClicker()
    visitor.sendAt(NOON + DAY, looked(3, 4_000), looked(9, 13 * HOUR), looked(10, 13 * HOUR + 1))
    expect(visitor.profile.arrivals).toHaveLength(2)
    expect(strataOf(visitor.profile.arrivals!)({ at: NOON })).toBe(6)
  })

  it('does not depend on the order in which messages come', () => {
    const arrived = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1 })
    const messages = fc.tuple(arrived, arrived).chain(([first, second]) => {
      // Those up to 3 are from before the decision.
      const before = first.map(seq => looked(seq, (seq - 3.5) * 1_000, 'a'))
      return fc.shuffledSubarray([...before, ...second.map(seq => looked(seq, HOUR + seq * 1_000, 'b'))], {
        minLength: first.length + second.length,
      })
    })
    fc.assert(
      fc.property(messages, fc.nat(20), (shuffled, place) => {
        const [inOrder, others] = [createClicker(), createClicker()]
        inOrder.send(...shuffled.toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : 1)))
        others.send(...shuffled.slice(0, place))
        for (const message of shuffled.slice(place, place + 4)) others.send(message)
        others.send(...shuffled.slice(place + 4))
        expect(others.profile.arrivals).toEqual(inOrder.profile.arrivals)
        const stratum = strataOf(others.profile.arrivals!)({ at: NOON })
        expect(strataTold(others).at(-1)![1] ?? 0).toBe(stratum)
        expect(strataTold(inOrder).at(-1)![1] ?? 0).toBe(stratum)
      }),
      { seed: 5, numRuns: 150 },
    )
  })

  it('does not count what came before its decision, whose neighbours come after it', () => {
    const visitor = createVisitor()
    visitor.send(looked(3, -1_000))
    visitor.serve(decision())
    visitor.send(looked(2, -2_000), looked(4, 1_000))
    expect(visitor.profile.arrivals).toEqual([[TODAY, RUN, 4, 4, 1]])
  })

  it('is told again a few times alone, and then with what it earns', () => {
    const visitor = createClicker()
    // One number is missing, and then comes, again and again.
    for (const seq of range(1, MAX_RETELLS).map(round => 2 * round + 1)) {
      visitor.send(looked(seq + 1, 3_000))
      visitor.send(looked(seq, 3_000))
    }
    const alone = visitor.records.filter(({ reward, previous }) => reward === previous)
    expect(alone).toHaveLength(MAX_RETELLS)
    expect(visitor.profile.decisions![0]!.items[0]!.retells).toBe(MAX_RETELLS)
  })

  it('counts the latest sessions alone', () => {
    const visitor = createClicker()
    visitor.send(...range(1, 2 * MAX_RUNS).map(seq => looked(seq, seq, `more ${seq}`)))
    expect(visitor.profile.arrivals).toHaveLength(MAX_RUNS)
    expect(strataOf(visitor.profile.arrivals!)({ at: NOON })).toBe(0)
  })
})
