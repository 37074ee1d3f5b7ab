import type { Candidate } from '@slotstream/protocol'
import { unpackReasons } from '../decide/record/pack-reasons.js'
import { withDetails } from '../decide/record/say-once.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import { because, percent } from './because.js'
import type { ExplainedContent, ExplainedRecord, ExplainedSlot, Explanation } from './explanation.js'
import { namesInRecord, shownPlaces } from './names.js'
import { plainDetail } from './reasons.js'
import { reproduce } from './reproduce.js'
import { type ExplainedStage, explainStages } from './stages.js'
import { explanationText } from './text.js'

/**
 * Explains a decision from its record alone. Pure, and equal on each machine.
 *
 * @param version ids of the slot's contents in the catalog by which it was decided, in order: they name those contents
 * of a large slot that the record only counts. Default: none
 */
export function explainDecision(record: ExplainedRecord, version?: readonly string[]): Explanation {
  const stages = stagesOf(record)
  const trouble = record.draw && !stages ? 'different' : reproduce(record, stages)
  const slot = stages ? byDraw(record, stages, version) : byLists(record)
  return {
    reproduced: trouble === undefined,
    text: explanationText(record, slot, trouble),
    candidates: slot.candidates,
    unnamed: slot.unnamed,
  }
}

/** Returns the stages of a draw; undefined without one, or where its numbers do not fit each other. */
function stagesOf({ draw }: ExplainedRecord): ExplainedStage[] | undefined {
  try {
    return draw && explainStages(draw)
  } catch {
    return undefined
  }
}

function byDraw(
  record: ExplainedRecord,
  stages: readonly ExplainedStage[],
  version?: readonly string[],
): ExplainedSlot {
  const reasons = unpackReasons(record.draw!.contents)
  const { names: listed } = namesInRecord(record, reasons, stages)
  const isOfVersion =
    version?.length === reasons.length && listed.every((id, place) => id === undefined || id === version[place])
  const names = isOfVersion ? version : listed
  const details = new Map(withDetails(record).map(({ contentId, detail }) => [contentId, detail]))
  const chances = chancesOf(stages)
  const positions = stages.flatMap(stage => stage.positions.map(position => ({ stage, position })))
  const ranks = new Map(shownPlaces(stages).map((place, index) => [place, index]))
  const fullBecause = displacedBy(stages)
  const candidates: ExplainedContent[] = []
  for (const [place, reason] of reasons.entries()) {
    const contentId = names[place]
    if (contentId === undefined) continue
    const rank = ranks.get(place)
    const units = rank === undefined ? (chances.get(place) ?? 0) : positions[rank]!.position.units
    const displaced = rank === undefined && units === 0 ? fullBecause : undefined
    candidates.push({
      contentId,
      propensity: units / PROBABILITY_SCALE,
      position: rank === undefined ? null : rank + 1,
      shown: rank !== undefined && record.contentIds.includes(contentId),
      excluded:
        reason === undefined ? (displaced ?? null) : { reason, detail: plainDetail(reason, details.get(contentId)) },
    })
  }
  const contentIds = record.ghost ?? record.contentIds
  return {
    candidates: candidates.sort(inOrder),
    unnamed: reasons.length - candidates.length,
    drawn: positions.slice(0, contentIds.length).map(({ stage, position }, index) => ({
      contentId: contentIds[index]!,
      why: because(record.policy ?? 'default', stage, position, PROBABILITY_SCALE),
    })),
  }
}

/** Returns why what could be shown had no chance, where campaigns filled all positions; undefined: they did not. */
function displacedBy(stages: readonly ExplainedStage[]): ExplainedContent['excluded'] | undefined {
  const filling = stages.filter(({ drawn }) => drawn.length > 0)
  const names = filling.flatMap(({ campaign }) => (campaign === undefined ? [] : [`"${campaign}"`]))
  if (names.length === 0 || stages.some(({ campaign }) => campaign === undefined)) return undefined
  const detail =
    names.length === 1
      ? `the campaign ${names[0]} fills all positions`
      : `campaigns fill all positions: ${names.join(', ')}`
  return { reason: 'displaced', detail }
}

/** Returns the chance of each candidate for the first position of the first stage that it is in. */
function chancesOf(stages: readonly ExplainedStage[]): Map<number, number> {
  const chances = new Map<number, number>()
  for (const { candidates, probabilities } of stages)
    for (const [index, place] of candidates.entries())
      if (!chances.has(place)) chances.set(place, probabilities[index] ?? 0)
  return chances
}

/** Records of the first form, and imported ones, list all that they know. */
function byLists({ policy = '', contentIds, propensities, candidates, excluded }: ExplainedRecord): ExplainedSlot {
  const explained = new Map<string, ExplainedContent>()
  for (const { contentId, probability } of candidates)
    explained.set(contentId, { contentId, propensity: probability, position: null, shown: false, excluded: null })
  for (const { contentId, reason, detail } of excluded) {
    const why = { reason, detail: plainDetail(reason, detail) }
    explained.set(contentId, { contentId, propensity: 0, position: null, shown: false, excluded: why })
  }
  const drawn = contentIds.map((contentId, index) => {
    const units = propensities[index] ?? explained.get(contentId)?.propensity
    explained.set(contentId, { contentId, propensity: units ?? 0, position: index + 1, shown: true, excluded: null })
    const candidate = candidates.find(other => other.contentId === contentId)
    if (units === undefined || !candidate) {
      const chance = units === undefined ? '' : ` (chance ${percent(units)})`
      return { contentId, why: `its log says so, without what else could have been${chance}` }
    }
    const rest = candidates.filter(other => !contentIds.slice(0, index).includes(other.contentId))
    // Chances are those for the first position; the best of the rest is known by its score.
    const rankOf = ({ score, probability }: Candidate) => (index === 0 ? probability : score)
    const position = {
      units,
      left: rest.length,
      isEven: rest.every(other => rankOf(other) === rankOf(candidate)),
      likelier: rest.filter(other => rankOf(other) > rankOf(candidate)).length,
    }
    return { contentId, why: because(policy, { isPinned: false, unlisted: 0 }, position, 1) }
  })
  return { candidates: [...explained.values()].sort(inOrder), unnamed: 0, drawn }
}

function inOrder(a: ExplainedContent, b: ExplainedContent): number {
  if (a.position !== null || b.position !== null) return (a.position ?? Infinity) - (b.position ?? Infinity)
  if ((a.excluded === null) !== (b.excluded === null)) return a.excluded === null ? -1 : 1
  return b.propensity - a.propensity || (a.contentId < b.contentId ? -1 : 1)
}
