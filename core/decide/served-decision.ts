import type { ServedDecision, ServedItem } from '@slotstream/protocol'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import { featuresOf } from '../learning/features/cross.js'
import { packFeatures } from '../learning/features/packed.js'
import { usualMost } from '../ledger/bounds/usual-most.js'
import type { Decided } from './decide.js'
import type { Situation } from './situation.js'

/** Segments that a served decision has, at most. */
const MAX_SEGMENTS = 32

/**
 * Returns what the visitor's profile keeps of a choice, for learning and for caps. Undefined where neither needs it:
 * the slot does not learn, and no shown content has a cap or `stopAfter`. For a visitor who is held out, what would
 * have been shown counts towards caps as if it had been, so that it stays comparable with what others are shown.
 *
 * @param typical reward of a typical outcome of the slot. Absent: not known yet
 */
export function servedDecision(
  decisionId: string,
  { slot, contents, learns: slotLearns, needs }: CompiledSlot,
  situation: Situation,
  { choice, shown, stages }: Pick<Decided, 'choice' | 'shown' | 'stages'>,
  typical?: number,
): ServedDecision | undefined {
  const isGhost = choice.ghost !== undefined
  if (choice.outcome !== 'served' && !isGhost) return undefined
  const learns = slotLearns && !isGhost
  const places = isGhost ? stages.flatMap(({ drawn, candidates }) => drawn.map(index => candidates[index]!)) : shown
  const items = places.flatMap((place, index): ServedItem[] => {
    const { content, facts, caps } = contents[place]!
    const { stopAfter } = content
    if (!learns && caps.length === 0 && stopAfter === undefined) return []
    const position = index + 1
    const item: ServedItem = { contentId: content.id, position }
    if (needs.policy.features && !isGhost)
      item.features = packFeatures(featuresOf(situation.crossed(), facts, position))
    if (stopAfter !== undefined) item.stopAfter = stopAfter
    return [item]
  })
  if (items.length === 0) return undefined
  const { now: at, sessionId, person } = situation
  const segments = person.segments.slice(0, MAX_SEGMENTS)
  const most = learns ? usualMost(slot.rewards, typical) : undefined
  return {
    decisionId,
    slotId: slot.id,
    at,
    sessionId,
    items,
    ...(slot.rewards && !isGhost && { rewards: slot.rewards }),
    ...(most !== undefined && { most }),
    ...(slot.countFrom === 'served' && { countFrom: slot.countFrom }),
    ...(learns && segments.length > 0 && { segments }),
    ...(!learns && { isOnlyCounted: true as const }),
    ...(isGhost && { isGhost: true as const }),
  }
}
