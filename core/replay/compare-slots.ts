import type { DecisionRecord } from '@slotstream/protocol'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import { type Evaluation, evaluateLots } from '../evaluate/evaluate.js'
import type { Refusal } from '../evaluate/refusal.js'
import { createCounterfactualLog } from './counterfactual-log.js'
import { decideOtherwise } from './decide-otherwise.js'
import { type AlongSlot, followAlong } from './learn-along.js'
import { loggedOf, missingOf } from './recorded-chances.js'
import type { AskedRecord } from './situation-of-record.js'

/** A recorded decision with what came of it. */
export interface ReplayedDecision {
  record: AskedRecord & Pick<DecisionRecord, 'decisionId' | 'propensities'>
  /** Reward of each content that was shown. */
  rewards: readonly number[]
}

/** A decision that would have been another one. */
export interface ChangedDecision {
  decisionId: string
  before: string[]
  after: string[]
}

/** The comparison of a slot with another one: what would have been shown, and what it would have earned. */
export interface SlotComparison {
  /** Decisions that were compared. */
  decisions: number
  /** Number of them that would have shown something else. */
  changed: number
  /** Number of times that each content was shown, and would have been, the most frequent first. */
  contents: { contentId: string; before: number; after: number }[]
  /** The first of those that would have been others. */
  sample: ChangedDecision[]
  /** Decisions of which it is not known, by why. */
  unknown: { reason: string; decisions: number }[]
  /** Mean reward of a content that was shown. */
  logged: number
  value: Pick<Evaluation, 'estimates' | 'refused'> & { ess: number; overlap: number; maxWeight: number }
}

/** Decisions that a sample names, and contents that a reason does. */
const MOST_SAMPLED = 20
const MOST_NAMED = 3

/** Greatest share of decisions that may be unknown where a value is to be relied on. */
const MOST_UNKNOWN = 0.01

/** Compares a slot with how it would be, decision by decision, in the order of time. */
export interface SlotComparer {
  /**
   * @param was slot as it was decided by
   * @param slot as it would be
   */
  add(decision: ReplayedDecision, was: CompiledSlot, slot: CompiledSlot): void
  finish(): SlotComparison
}

/** Creates it. A policy that learns begins with the first decision, and learns from those that came before each. */
export function createSlotComparer(siteId: string): SlotComparer {
  const log = createCounterfactualLog()
  const contents = new Map<string, { before: number; after: number }>()
  const unknown = new Map<string, number>()
  const sample: ChangedDecision[] = []
  let decisions = 0
  let changed = 0
  let along: AlongSlot | undefined
  const note = (ids: readonly string[], when: 'before' | 'after') => {
    for (const id of ids) {
      const counts = contents.get(id) ?? { before: 0, after: 0 }
      counts[when]++
      contents.set(id, counts)
    }
  }
  return {
    add({ record, rewards }, was, slot) {
      const now = Date.parse(record.timestamp)
      along ??= followAlong(slot, now)
      const why = missingOf(record, slot)
      const other = why === undefined ? decideOtherwise(siteId, record, was, slot, along.learnedAt(now)) : undefined
      along.learn(record, rewards, was)
      const reason = why ?? (other!.unknown.length > 0 ? conditionOf(other!.unknown) : undefined)
      if (reason !== undefined) return void unknown.set(reason, (unknown.get(reason) ?? 0) + 1)
      const { decisionId, contentIds, propensities } = record
      decisions++
      note(contentIds, 'before')
      note(other!.contentIds, 'after')
      if (contentIds.join('\0') !== other!.contentIds.join('\0')) {
        changed++
        if (sample.length < MOST_SAMPLED) sample.push({ decisionId, before: contentIds, after: other!.contentIds })
      }
      const logged = loggedOf(record, was)
      log.add(
        contentIds.map((contentId, position) => {
          const above = contentIds.slice(0, position)
          const chances = other!.chancesAt(position, above)
          const propensity = propensities[position] ?? 0
          return { contentId, reward: rewards[position] ?? 0, propensity, position, above, logged, chances }
        }),
      )
    },
    finish() {
      const { log: rows, lots } = log.finish()
      const { estimates, diagnostics, refused } = evaluateLots(rows, { from: 0, to: rows.rows }, lots)
      const { ess, overlap, maxWeight } = diagnostics
      const reasons = [...unknown].map(([reason, count]) => ({ reason, decisions: count }))
      const lost = reasons.reduce((sum, each) => sum + each.decisions, 0)
      return {
        decisions,
        changed,
        contents: [...contents]
          .map(([contentId, counts]) => ({ contentId, ...counts }))
          .sort((a, b) => b.after - a.after || b.before - a.before || (a.contentId < b.contentId ? -1 : 1)),
        sample,
        unknown: reasons,
        logged: rows.reward.reduce((sum, reward) => sum + reward, 0) / Math.max(1, rows.rows),
        value: { estimates, ess, overlap, maxWeight, refused: refuseUnknown(lost, decisions + lost) ?? refused },
      }
    },
  }
}

function conditionOf(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED
  const names = ids.slice(0, MOST_NAMED).join(', ')
  return `whether the person could be shown ${names}${more > 0 ? ` and ${more} more` : ''} is not recorded: a condition or cap of it was another one`
}

function refuseUnknown(lost: number, all: number): Refusal | undefined {
  if (lost <= MOST_UNKNOWN * all) return undefined
  return {
    code: 'unknown_chances',
    reason: `of ${lost} of ${all} decisions it is not known what would have been shown`,
    cure:
      'let the slot follow an ensemble in which such a policy has a small share, so that records have what it reads; ' +
      'leave conditions and caps as they were; or compare it in an experiment',
  }
}
