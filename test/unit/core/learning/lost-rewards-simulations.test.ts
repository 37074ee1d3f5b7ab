import type { LearningRecord, PolicySpec, StoredMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { choose } from '#core/decide/choose.js'
import { seededRandom } from '#core/decide/random.js'
import { crossFacts, featuresOf } from '#core/learning/features/cross.js'
import { packFeatures } from '#core/learning/features/packed.js'
import { foldEnvelope } from '#core/learning/fold/fold-envelope.js'
import { advanceLearned, type Learned, nothingLearned } from '#core/learning/fold/learned.js'
import { readModel, type SlotModel } from '#core/learning/model/slot-model.js'
import { writeLearned } from '#core/learning/stored/write-learned.js'
import { shareMissing, stratumOf, weightOfStratum } from '#core/learning/sums/loss-strata.js'
import { click, createVisitor, decision, NOON, SECOND, track, view } from '../ledger/some-decisions.js'
import { inputOf } from '../policies/some-learning.js'

const DIMENSION = 128
const MINUTE = 60 * SECOND
const MESSAGES = 10
const AB = ['A', 'B'].map(id => ({ id, category: '' }))

/** What is true of a content: how often it is clicked, and how many of the messages after it get lost. */
interface Truth {
  rate: number
  lost: number
}

interface World {
  truth: Record<string, Truth>
  policy: PolicySpec | undefined
  /** Whether what was lost is made up for. Default: yes */
  isWeighted?: boolean
}

/** Visitors who see one content, and send ten messages afterwards; one of these may be a click. */
function play(visitors: number, { truth, policy, isWeighted = true }: World) {
  const random = seededRandom('lost rewards')
  const learned = nothingLearned()
  let model: SlotModel | undefined
  const shown = Array.from({ length: visitors }, (_, n) => {
    if (n % 20 === 0 && policy?.type !== 'random') model = modelOf(learned, NOON + n * SECOND)
    const input = inputOf({ eligible: AB, person: { personId: `p${n}` }, model, seed: `s${n}` })
    const [contentId] = choose(policy, input).contentIds
    const content = AB.find(({ id }) => id === contentId)!
    const records = visit(n, content, truth[contentId!]!, random, input)
    foldEnvelope(learned, 0, envelopeOf(n + 1, isWeighted ? records : records.map(withoutStrata)), NOON + n * SECOND)
    return contentId!
  })
  return { shown, learned, model: modelOf(learned, NOON + visitors * SECOND)! }
}

function visit(
  n: number,
  content: (typeof AB)[number],
  { rate, lost }: Truth,
  random: () => number,
  { person, context }: ReturnType<typeof inputOf>,
): LearningRecord[] {
  const visitor = createVisitor()
  const start = n * SECOND
  const features = packFeatures(featuresOf(crossFacts({ ...person, context }), content, 1, DIMENSION))
  visitor.serve(decision({ at: NOON + start, items: [{ contentId: content.id, position: 1, features }] }))
  visitor.send(numbered(view(start, content.id), 1))
  const place = Math.floor(random() * MESSAGES)
  const isClicked = random() < rate
  const messages = Array.from({ length: MESSAGES }, (_, index) => {
    const at = start + (index + 1) * MINUTE
    return numbered(isClicked && index === place ? click(at, content.id) : track('Looked', at), index + 2)
  })
  const arrived = messages.filter(() => random() >= lost)
  visitor.send(...arrived.slice(0, 4))
  visitor.send(...arrived.slice(4))
  return visitor.records
}

function numbered(message: StoredMessage, seq: number): StoredMessage {
  return { ...message, context: { seq, sessionId: 's1' } }
}

function withoutStrata({ stratum: _now, previousStratum: _before, ...record }: LearningRecord): LearningRecord {
  return record
}

function envelopeOf(seq: number, records: LearningRecord[]) {
  return {
    ...{ siteId: 'shop', visitorId: `p${seq}`, anonymousId: `p${seq}`, receivedAt: new Date(NOON).toISOString() },
    ...{ seq, stored: 0, records },
  }
}

function modelOf(learned: Learned, now: number): SlotModel | undefined {
  advanceLearned(learned, now)
  const [slot] = learned.slots.values()
  return slot && readModel(slot.epochs, { dimension: DIMENSION, trendHalfLifeMs: 3_600_000 })
}

/**
 * Mean of what is counted of a reward after which, or before which, the browser numbers messages: each, and the one that
 * earned, gets lost as likely.
 *
 * @param place of the message that earned, from 0; `messages` - 1: nothing comes after it
 */
function meanCounted(messages: number, lost: number, place: number): number {
  let mean = 0
  for (let last = place; last < messages; last++) {
    // Between the first and the last that arrived, but for the one that earned.
    const others = last === place ? last : last - 1
    let likelihood = (1 - lost) ** (last === place ? 1 : 2) * lost ** (messages - 1 - last) * (1 - lost) ** others
    for (let missing = 0; missing <= others; missing++) {
      mean += likelihood * weightOfStratum(stratumOf(shareMissing(missing, last)))
      likelihood *= ((others - missing) / (missing + 1)) * (lost / (1 - lost))
    }
  }
  return mean
}

describe('what is counted of rewards', () => {
  const overPlaces = (messages: number, lost: number) =>
    Array.from({ length: messages }, (_, place) => meanCounted(messages, lost, place)).reduce((sum, one) => sum + one) /
    messages

  it.each([0.01, 0.1, 0.3, 0.5].flatMap(lost => [5, 10, 30].map(messages => [messages, lost] as const)))(
    'is right where of %d messages a share of %d gets lost',
    (messages, lost) => {
      expect(Math.abs(overPlaces(messages, lost) - 1)).toBeLessThan(0.1)
    },
  )

  it('is nearer than without weights, however few messages come', () => {
    for (const lost of [0.1, 0.3, 0.5, 0.6])
      for (const messages of [1, 2, 3, 5, 10, 30]) {
        const counted = overPlaces(messages, lost)
        if (messages > 1) expect(Math.abs(1 - counted), `${messages} at ${lost}`).toBeLessThan(lost)
        // What earned comes last: of few messages a little too much.
        for (const place of [0, messages - 1]) expect(meanCounted(messages, lost, place)).toBeLessThan(1.2)
      }
  })
})

describe('rewards that get lost', () => {
  it.each([
    [0.1, 0.1],
    [0.3, 0.1],
    [0.5, 0.1],
    // The last stratum is open, and weighs four at most.
    [0.6, 0.15],
  ])('are made up for where %d of the messages are', (lost, within) => {
    const always = { rate: 1, lost }
    const { learned, model } = play(600, { truth: { A: always, B: always }, policy: { type: 'random' } })
    for (const { sums } of [...learned.slots.values()].flatMap(({ epochs }) => [...epochs.cells.values()]))
      sums.strata.clear()
    const raw = modelOf(learned, model.asOf)!
    const rate = ({ contents: { total } }: SlotModel) => total.rewards / total.views
    expect(Math.abs(rate(raw) - (1 - lost))).toBeLessThan(0.07)
    expect(Math.abs(rate(model) - 1)).toBeLessThan(within)
  })

  it.each<[string, PolicySpec | undefined]>([
    ['thompson', { type: 'thompson' }],
    ['contextual', { type: 'contextual' }],
    ['the default', undefined],
  ])('do not starve the better content: %s', (_name, policy) => {
    const truth = { A: { rate: 0.3, lost: 0 }, B: { rate: 0.6, lost: 0.7 } }
    const shareOfB = (isWeighted: boolean) => {
      const { shown } = play(500, { truth, policy, isWeighted })
      return shown.slice(350).filter(id => id === 'B').length / 150
    }
    expect(shareOfB(true)).toBeGreaterThan(0.8)
    expect(shareOfB(false)).toBeLessThan(0.2)
  })

  it('change nothing where none are lost, to the last bit', () => {
    const truth = { A: { rate: 0.3, lost: 0 }, B: { rate: 0.45, lost: 0 } }
    const policy: PolicySpec = { type: 'thompson' }
    const [weighted, raw] = [play(200, { truth, policy }), play(200, { truth, policy, isWeighted: false })]
    expect([...writeLearned(weighted.learned, {}, 0)]).toEqual([...writeLearned(raw.learned, {}, 0)])
    expect(weighted).toEqual(raw)
  })

  it('leave the better content the better one where all lose alike', () => {
    const truth = { A: { rate: 0.3, lost: 0.4 }, B: { rate: 0.6, lost: 0.4 } }
    const { shown } = play(500, { truth, policy: { type: 'thompson' } })
    expect(shown.slice(350).filter(id => id === 'B').length).toBeGreaterThan(120)
  })
})
