import type { RecordedDraw } from '@slotstream/protocol'
import { unpackReasons } from '../decide/record/pack-reasons.js'
import { chancesOf } from '../draw/lottery.js'
import { unpackLottery, unpackPlaces } from '../draw/pack-lottery.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'

/** A stage of a recorded draw, with the chances that follow from its numbers. */
export interface ExplainedStage {
  /** Campaign that took precedence. Absent: the policy had all that was left */
  campaign?: string
  isPinned: boolean
  /** Contents that could be shown, too, and that the policy or campaign has not on its list. */
  unlisted: number
  /** Places of the candidates among the slot's contents. */
  candidates: number[]
  /** Score of each; 0 for `listedPlaces`. */
  scores: number[]
  /** Chance of each for the stage's first position, in units of `PROBABILITY_SCALE`. */
  probabilities: number[]
  /** Places of what was drawn, among the candidates. */
  drawn: number[]
  /** Rank of each of `drawn` among those that were left. */
  positions: DrawnPosition[]
}

/** The rank of the content drawn for a position among those that were left. */
export interface DrawnPosition {
  /** Its chance, in units of `PROBABILITY_SCALE`. */
  units: number
  /** Candidates that were left. */
  left: number
  /** True if all that were left were equally likely. */
  isEven: boolean
  /** Candidates that were likelier. */
  likelier: number
}

/**
 * Expands the stages of a record.
 *
 * @throws RangeError, TypeError where its numbers do not fit each other
 */
export function explainStages({ contents, stages }: RecordedDraw): ExplainedStage[] {
  let rest = unpackReasons(contents).flatMap((reason, place) => (reason === undefined ? [place] : []))
  return stages.map(({ campaign, of: candidateCount, contents: listed, lottery, drawn }) => {
    const candidates = listed === undefined ? rest : unpackPlaces(listed)
    if (candidates.length !== candidateCount)
      throw new RangeError(`a stage has ${candidates.length} candidates, not ${candidateCount}`)
    const unlisted = candidates === rest ? 0 : countOthers(rest, candidates)
    const shown = new Set(drawn.map(index => candidates[index]!))
    rest = rest.filter(place => !shown.has(place))
    const unpacked = lottery && unpackLottery(lottery, candidateCount)
    const chances = (left: readonly number[]) =>
      unpacked ? chancesOf(unpacked, left) : left.map((_, index) => (index === 0 ? PROBABILITY_SCALE : 0))
    const all = [...candidates.keys()]
    const left = [...all]
    const probabilities = all.length > 0 ? chances(all) : []
    const positions = drawn.map((index, position): DrawnPosition => {
      const units = position === 0 ? probabilities : chances(left)
      const at = left.indexOf(index)
      if (at < 0) throw new RangeError(`candidate ${index} is drawn twice, or is none`)
      left.splice(at, 1)
      return positionOf(units, at)
    })
    return {
      ...(campaign !== undefined && { campaign }),
      isPinned: !lottery,
      unlisted,
      candidates: [...candidates],
      scores: all.map(() => 0),
      probabilities,
      drawn: [...drawn],
      positions,
    }
  })
}

function countOthers(places: readonly number[], listed: readonly number[]): number {
  const listedPlaces = new Set(listed)
  return places.filter(place => !listedPlaces.has(place)).length
}

/** Ranks a drawn content. A difference that rounding gives to the largest does not count. */
function positionOf(all: readonly number[], at: number): DrawnPosition {
  const units = all[at] ?? 0
  const within = all.length
  return {
    units,
    left: all.length,
    isEven: all.every(other => Math.abs(other - units) <= within),
    likelier: all.filter(other => other > units + within).length,
  }
}
