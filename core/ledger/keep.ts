import {
  type Earning,
  type KeptDecision,
  type KeptItem,
  MAX_KEPT_DECISIONS,
  type ServedDecision,
} from '@slotstream/protocol'
import { compareTexts } from '../compare-texts.js'
import { decisionBytes, featureVectorBytes } from './ledger-size.js'
import { endOfWindows, FEATURES_LATE_MS, isOver, SKEW_MS } from './times.js'

/**
 * Bytes that a profile's decisions take in memory at most: usual ones take one or two kilobytes, and as JSON a third of
 * it. The oldest leave.
 */
export const MAX_DECISIONS_BYTES = 256 * 1024

/** Bytes of them that may be features. The oldest decisions lose theirs first. */
export const MAX_FEATURES_BYTES = 64 * 1024

/** Segments of a person that a decision keeps. */
export const MAX_SEGMENTS = 64

/**
 * Returns decisions with those that were served, in order, each once; `decisions` itself where all of them are known.
 */
export function withServed(
  decisions: readonly KeptDecision[],
  served: readonly ServedDecision[],
): readonly KeptDecision[] {
  const decisionIds = new Set(decisions.map(({ decisionId }) => decisionId))
  const added: KeptDecision[] = []
  for (const decision of served) {
    if (decisionIds.has(decision.decisionId)) continue
    decisionIds.add(decision.decisionId)
    added.push(
      decision.segments && decision.segments.length > MAX_SEGMENTS
        ? { ...decision, segments: decision.segments.slice(0, MAX_SEGMENTS) }
        : decision,
    )
  }
  return added.length === 0 ? decisions : bounded([...decisions, ...added].sort(compareDecisions))
}

/** Compares decisions in the order of profiles: by time, the latest last. */
function compareDecisions(a: KeptDecision, b: KeptDecision): number {
  return a.at - b.at || compareTexts(a.decisionId, b.decisionId)
}

/** Keeps the latest decisions within the bounds. */
function bounded(decisions: KeptDecision[]): KeptDecision[] {
  const latest = decisions.slice(-MAX_KEPT_DECISIONS)
  let room = MAX_FEATURES_BYTES
  let bytes = 0
  let first = latest.length
  while (first > 0) {
    const decision = latest[first - 1]!
    room -= featureBytesOf(decision)
    const slim = room < 0 ? withoutFeatures(decision) : decision
    bytes += decisionBytes(slim)
    // The latest one stays however large it is: the broker bounds the message that told it.
    if (bytes > MAX_DECISIONS_BYTES && first < latest.length) break
    latest[--first] = slim
  }
  return latest.slice(first)
}

function featureBytesOf({ items }: KeptDecision): number {
  return items.reduce((sum, { features }) => sum + featureVectorBytes(features), 0)
}

/**
 * Returns decisions without the oldest ones that are over at `now`, and without features that are no longer of use. One
 * that is newer than others stays: what it was credited with must not pass to them.
 */
export function withoutPast(decisions: readonly KeptDecision[], now: number): readonly KeptDecision[] {
  const isUseless = (decision: KeptDecision) => now > endOfWindows(decision) + FEATURES_LATE_MS && hasFeatures(decision)
  const first = decisions.findIndex(decision => !isOver(decision, now))
  if (first === 0 && !decisions.some(isUseless)) return decisions
  if (first < 0) return []
  return decisions.slice(first).map(decision => (isUseless(decision) ? withoutFeatures(decision) : decision))
}

/** Returns earnings without those that no decision can be credited with any more. */
export function withoutSpent(earnings: readonly Earning[], decisions: readonly KeptDecision[]): readonly Earning[] {
  let [next, end] = [0, Number.NEGATIVE_INFINITY]
  /**
   * Returns whether an earning is of use. Decisions and earnings are in the order of time: windows that have begun by
   * an earning have begun by all later ones.
   */
  const isOfUse = ({ at }: Earning): boolean => {
    for (; next < decisions.length && at >= decisions[next]!.at - SKEW_MS; next++)
      end = Math.max(end, endOfWindows(decisions[next]!))
    return at <= end
  }
  const useful = earnings.filter(isOfUse)
  return useful.length === earnings.length ? earnings : useful
}

function hasFeatures({ items }: KeptDecision): boolean {
  return items.some(({ features }) => features !== undefined)
}

/** Returns a decision of which only sums per content learn from now on. */
function withoutFeatures(decision: KeptDecision): KeptDecision {
  if (!hasFeatures(decision)) return decision
  return { ...decision, items: decision.items.map(({ features: _features, ...item }): KeptItem => item) }
}
