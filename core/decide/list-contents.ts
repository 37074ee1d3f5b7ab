import type { Candidate, Excluded } from '@slotstream/protocol'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import { detailOf, type EligibilityFacts } from '../catalog/eligible.js'
import { ELIGIBLE, type Reasons, reasonAt } from '../catalog/reasons.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import type { Stage } from './stages.js'

/** A record lists up to `ALL` contents in full; if there are more, only `SOME`. Its draw has all of them, packed. */
const ALL = 20
const SOME = 4

/**
 * Lists the candidates of a choice with their chances for the first position. Up to `most` candidates: all, in their
 * order; more: the most likely ones, and those that were shown.
 *
 * @param most Default 20
 */
export function listCandidates({ contents }: CompiledSlot, stages: readonly Stage[], most = ALL): Candidate[] {
  return listed(stages, most).map(({ place, score, units }) => ({
    contentId: contents[place]!.id,
    score: Math.round(score * 1e6) / 1e6,
    probability: units / PROBABILITY_SCALE,
  }))
}

/** Returns the places of the contents that `listCandidates` lists by default, in its order. */
export function listedPlaces(stages: readonly ListedStage[]): number[] {
  return listed(stages, ALL).map(({ place }) => place)
}

/** The fields of a stage that decide which of its candidates are listed. */
export type ListedStage = Pick<Stage, 'candidates' | 'scores' | 'probabilities' | 'drawn'>

function listed(stages: readonly ListedStage[], most: number): Listed[] {
  const [first, ...later] = stages
  const limit = most === ALL ? SOME : most
  // A record is written for each decision: objects are created only for candidates that are listed.
  if (first && later.length === 0 && first.candidates.length > most) return likelyOf(first, limit)
  const all = later.length === 0 ? candidatesOf(first!, true) : inEveryStage(stages)
  return all.length <= most ? all : mostLikely(all, limit)
}

interface Listed {
  place: number
  score: number
  units: number
  isShown: boolean
}

function candidatesOf({ candidates, scores, probabilities, drawn }: ListedStage, isFirst: boolean): Listed[] {
  const shown = new Set(drawn)
  return candidates.map((place, index) => ({
    place,
    score: scores[index]!,
    units: isFirst ? (probabilities[index] ?? 0) : 0,
    isShown: shown.has(index),
  }))
}

/** Returns the same as `mostLikely` for the candidates of one stage, without an object for each of them. */
function likelyOf({ candidates, scores, probabilities, drawn }: ListedStage, count: number): Listed[] {
  const top = likeliest(candidates.length, count, index => probabilities[index] ?? 0)
  const shown = new Set(drawn)
  const others = [...shown].filter(index => !top.includes(index)).sort((a, b) => a - b)
  return [...top, ...others].map(index => ({
    place: candidates[index]!,
    score: scores[index]!,
    units: probabilities[index] ?? 0,
    isShown: shown.has(index),
  }))
}

function inEveryStage(stages: readonly ListedStage[]): Listed[] {
  const byPlace = new Map<number, Listed>()
  for (const [index, stage] of stages.entries())
    for (const candidate of candidatesOf(stage, index === 0)) {
      const before = byPlace.get(candidate.place)
      if (before) before.isShown ||= candidate.isShown
      else byPlace.set(candidate.place, candidate)
    }
  return [...byPlace.values()]
}

function mostLikely(all: readonly Listed[], count: number): Listed[] {
  const top = new Set(likeliest(all.length, count, index => all[index]!.units).map(index => all[index]!))
  return [...top, ...all.filter(candidate => candidate.isShown && !top.has(candidate))]
}

/** Returns the indices of the likeliest entries, the likeliest first; of ties, the lower index. */
function likeliest(length: number, count: number, unitsOf: (index: number) => number): number[] {
  const top: number[] = []
  for (let index = 0; index < length; index++) {
    const units = unitsOf(index)
    const last = top.at(-1)
    if (top.length >= count && last !== undefined && units <= unitsOf(last)) continue
    let at = top.length
    while (at > 0 && unitsOf(top[at - 1]!) < units) at--
    top.splice(at, 0, index)
    if (top.length > count) top.pop()
  }
  return top
}

/**
 * Lists content that may not be shown, with the reason, sorted by id: all up to `most`; if there are more, the first 4
 * with the default, else the first `most`.
 *
 * @param most Default 20
 * @param isPublic see `detailOf`. Default: no
 */
export function listExcluded(
  slot: CompiledSlot,
  reasons: Reasons,
  facts: EligibilityFacts,
  most = ALL,
  isPublic = false,
): Excluded[] {
  let count = 0
  for (let place = 0; place < reasons.length; place++) if (reasons[place] !== ELIGIBLE) count++
  const limit = count <= most ? count : most === ALL ? SOME : most
  const listed: Excluded[] = []
  for (let place = 0; listed.length < limit; place++) {
    const reason = reasonAt(reasons, place)
    if (reason === undefined) continue
    const detail = detailOf(slot, place, reason, facts, isPublic)
    listed.push({ contentId: slot.contents[place]!.id, reason, ...(detail !== undefined && { detail }) })
  }
  return listed
}
