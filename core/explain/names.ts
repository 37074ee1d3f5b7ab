import type { DecisionRecord, ExclusionReason } from '@slotstream/protocol'
import { listedPlaces } from '../decide/list-contents.js'
import type { ExplainedStage } from './stages.js'

/** The places of contents among those of the slot, as the lists of a record tell. */
export interface RecordedNames {
  /** Undefined: the lists do not name the content of that place. */
  names: (string | undefined)[]
  /** True if no list contradicts another one. */
  agree: boolean
}

/**
 * Returns the content at each place, as far as the lists of a record say it: they name what was shown, and all others
 * where they are few. What they say of more is some of it, in an order that follows from the draw.
 */
export function namesInRecord(
  record: Pick<DecisionRecord, 'contentIds' | 'ghost' | 'candidates' | 'excluded'>,
  reasons: readonly (ExclusionReason | undefined)[],
  stages: readonly ExplainedStage[],
): RecordedNames {
  const names = new Array<string | undefined>(reasons.length).fill(undefined)
  let agree = true
  const missed = reasons.flatMap((reason, place) => (reason === undefined ? [] : [place]))
  note(missed, record.excluded)
  const listed = listedPlaces(stages)
  if (listed.length === record.candidates.length) note(listed, record.candidates)
  note(
    shownPlaces(stages),
    (record.ghost ?? record.contentIds).map(contentId => ({ contentId })),
  )
  return { names, agree }

  function note(places: readonly number[], contents: readonly { contentId: string }[]): void {
    for (const [index, { contentId }] of contents.entries()) {
      const place = places[index]
      const nameBefore = place === undefined ? undefined : names[place]
      if (place === undefined || place >= names.length || (nameBefore !== undefined && nameBefore !== contentId))
        agree = false
      else names[place] = contentId
    }
  }
}

/** Returns the places of what was drawn, by position. */
export function shownPlaces(stages: readonly ExplainedStage[]): number[] {
  return stages.flatMap(({ drawn, candidates }) => drawn.map(index => candidates[index]!))
}
