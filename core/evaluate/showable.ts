import { unpackReasons } from '../decide/record/pack-reasons.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import { shownPlaces } from '../explain/names.js'
import { parseDraw } from '../explain/parse-draw.js'
import { explainStages } from '../explain/stages.js'

/** Contents among which a recorded decision chose. */
export interface Showable {
  /** Places among the contents of the slot. */
  places: readonly number[]
  /** Chance of each for the first position; 0 for those not on the policy's list, or that a later stage chose from. */
  chances: readonly number[]
  /** Places of what was drawn, by position. */
  drawn: readonly number[]
}

/**
 * Reads from the text of a recorded draw what could be shown: all content that the policy was given, and where
 * campaigns chose, theirs. Undefined: it is no draw, or its numbers do not fit each other.
 */
export function showableOf(text: string): Showable | undefined {
  const draw = parseDraw(text)
  if (!draw) return undefined
  try {
    const stages = explainStages(draw)
    const units = new Map<number, number>()
    for (const [index, { candidates, probabilities }] of stages.entries())
      for (const [at, place] of candidates.entries())
        if (!units.has(place)) units.set(place, index === 0 ? (probabilities[at] ?? 0) : 0)
    if (stages.at(-1)?.campaign === undefined)
      for (const [place, reason] of unpackReasons(draw.contents).entries())
        if (reason === undefined && !units.has(place)) units.set(place, 0)
    const places = [...units.keys()].sort((a, b) => a - b)
    return { places, chances: places.map(place => units.get(place)! / PROBABILITY_SCALE), drawn: shownPlaces(stages) }
  } catch {
    return undefined
  }
}
