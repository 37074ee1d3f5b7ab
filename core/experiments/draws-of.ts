import type { DecisionRecord } from '@slotstream/protocol'
import { unpackReasons } from '../decide/record/pack-reasons.js'
import { chancesOf } from '../draw/lottery.js'
import { unpackLottery, unpackPlaces } from '../draw/pack-lottery.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import type { AuditedDraw } from './checks/draw-audit.js'

/** Added to the places of draws below the first one, so that an audit bets on them apart. */
const BELOW_FIRST = 2 ** 20

/**
 * Returns the draws of a record for an audit: each position of each stage that has a lottery, given those above it.
 * Places are indices of the slot's contents, which are the same for all decisions of one policy version; those of draws
 * below the first one of a stage are `BELOW_FIRST` further.
 */
export function drawsOf({ draw }: Pick<DecisionRecord, 'draw'>): AuditedDraw[] {
  if (!draw) return []
  let rest = unpackReasons(draw.contents).flatMap((reason, place) => (reason === undefined ? [place] : []))
  return draw.stages.flatMap(({ of: candidateCount, contents, lottery: packed, drawn }) => {
    const places = contents === undefined ? rest : unpackPlaces(contents)
    const shown = new Set(drawn.map(index => places[index]!))
    if (shown.size > 0) rest = rest.filter(place => !shown.has(place))
    if (!packed || places.length !== candidateCount) return []
    const lottery = unpackLottery(packed, candidateCount)
    const left = [...places.keys()]
    return drawn.flatMap((index, position): AuditedDraw[] => {
      const at = left.indexOf(index)
      if (at < 0) return []
      const from = left.map(candidate => places[candidate]! + (position > 0 ? BELOW_FIRST : 0))
      const units = chancesOf(lottery, left)
      left.splice(at, 1)
      return [{ places: from, units, scale: PROBABILITY_SCALE, drawn: at }]
    })
  })
}
