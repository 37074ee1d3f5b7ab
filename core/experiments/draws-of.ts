import type { DecisionRecord } from '@slotstream/protocol'
import { unpackReasons } from '../decide/record/pack-reasons.js'
import { chancesOf } from '../draw/lottery.js'
import { unpackLottery, unpackPlaces } from '../draw/pack-lottery.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import type { AuditedDraw } from './checks/draw-audit.js'

/**
 * Returns the draws of a record for an audit: the first position of each stage that has a lottery. Places are indices
 * of the slot's contents, which are the same for all decisions of one policy version.
 */
export function drawsOf({ draw }: Pick<DecisionRecord, 'draw'>): AuditedDraw[] {
  if (!draw) return []
  let rest = unpackReasons(draw.contents).flatMap((reason, place) => (reason === undefined ? [place] : []))
  return draw.stages.flatMap(({ of: candidateCount, contents, lottery, drawn }) => {
    const places = contents === undefined ? rest : unpackPlaces(contents)
    const shown = new Set(drawn.map(index => places[index]!))
    if (shown.size > 0) rest = rest.filter(place => !shown.has(place))
    if (!lottery || drawn.length === 0 || places.length !== candidateCount) return []
    const units = chancesOf(unpackLottery(lottery, candidateCount), [...places.keys()])
    return [{ places, units, scale: PROBABILITY_SCALE, drawn: drawn[0]! }]
  })
}
