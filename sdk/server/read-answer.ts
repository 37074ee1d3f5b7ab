import { isObject } from '@slotstream/protocol'
import { noDecision } from '../slots/no-decision.js'
import type { SlotDecision, SlotItem, SlotOutcome } from '../types.js'

/** Returns the decisions of an answer of `/v1/slots`, one for each slot in the order in which they were asked for. */
export function readAnswer(answer: unknown, slotIds: readonly string[]): SlotDecision[] {
  const decisions: unknown = isObject(answer) ? answer.decisions : undefined
  const list: unknown[] = Array.isArray(decisions) ? decisions : []
  return slotIds.map((slotId, index) => {
    const decision = list[index]
    return isDecision(decision) && decision.slotId === slotId ? decision : noDecision(slotId, 'unavailable')
  })
}

/** Returns decisions without items: the page keeps its own content. */
export const undecided = (slotIds: readonly string[], outcome: SlotOutcome): SlotDecision[] =>
  slotIds.map(slotId => noDecision(slotId, outcome))

function isDecision(value: unknown): value is SlotDecision {
  return (
    isObject(value) &&
    typeof value.slotId === 'string' &&
    typeof value.decisionId === 'string' &&
    typeof value.outcome === 'string' &&
    Array.isArray(value.items) &&
    value.items.every(isItem)
  )
}

const isItem = (value: unknown): value is SlotItem =>
  isObject(value) &&
  typeof value.contentId === 'string' &&
  typeof value.position === 'number' &&
  isObject(value.payload)
