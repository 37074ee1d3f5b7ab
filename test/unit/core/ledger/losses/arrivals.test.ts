import type { EventEnvelope, StoredMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { click, createVisitor, decision, HOUR, NOON, track, view } from '../some-decisions.js'

const DAY = 24 * HOUR
const numbered = (message: StoredMessage, seq: number): StoredMessage => ({ ...message, context: { seq } })
const looked = (seq: number, afterMs = seq * 1_000) => numbered(track('Looked', afterMs), seq)

/** A visitor who was served a decision, viewed it as message 1 and clicked as message 2. */
function createClicker() {
  const visitor = createVisitor()
  visitor.serve(decision({ rewards: [{ event: 'Slot Clicked', windowHours: 2 }] }))
  visitor.send(numbered(view(1_000), 1))
  visitor.send(numbered(click(2_000), 2))
  return visitor
}

const strataOf = ({ records }: ReturnType<typeof createVisitor>) =>
  records.map(({ reward, stratum, previousStratum }) => [reward, stratum, previousStratum])

describe('the stratum of what an outcome earned', () => {
  it('is told with it, and once more when the browser turns out to lose more or less', () => {
    const visitor = createClicker()
    expect(strataOf(visitor)).toEqual([
      [0, undefined, undefined],
      [10_000, undefined, undefined],
    ])
    // Of the messages 2 to 4, two are missing; then they arrive, one after the other.
    visitor.send(looked(5))
    visitor.send(looked(4))
    visitor.send(looked(3))
    visitor.send(looked(6))
    expect(strataOf(visitor).slice(2)).toEqual([
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
    expect(strataOf(nothing)).toEqual([[0, undefined, undefined]])
    const told = createVisitor()
    told.serve(decision({ rewards: [{ event: 'Order Completed', windowHours: 2 }] }))
    told.send(numbered(view(1_000), 1), looked(9))
    const order = { messages: [track('Order Completed', 20_000)] } satisfies Partial<EventEnvelope>
    told.apply({ ...order, sender: 'secret' })
    expect(strataOf(told).at(-1)).toEqual([10_000, undefined, undefined])
  })

  it('does not count what is from before the first message, nor messages without a number', () => {
    const visitor = createVisitor()
    visitor.serve(decision({ rewards: [{ event: 'Slot Clicked', windowHours: 2 }] }))
    visitor.send(numbered(view(1_000), 501), click(2_000), track('Looked', 3_000), looked(502, 4_000))
    expect(strataOf(visitor).at(-1)).toEqual([10_000, undefined, undefined])
    expect(visitor.profile.arrivals).toEqual([[Math.floor(NOON / DAY), 501, 502, 2]])
  })

  it.each([0, -1, 1.5, '7', null, 2 ** 60])('takes no notice of a number that is none: %s', seq => {
    const visitor = createClicker()
    visitor.send({ ...looked(3), context: { seq } } as StoredMessage)
    expect(visitor.profile.arrivals).toEqual([[Math.floor(NOON / DAY), 1, 2, 2]])
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
})
