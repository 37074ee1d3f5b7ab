import type { PluginApi } from '../../client/plugin-api.js'
import { emit } from '../../platform/emit.js'
import { jsonOf } from '../../platform/json.js'
import type { SlotDecision } from '../../types.js'
import { createLastDecisions } from './last-decisions.js'

/**
 * Shows what a slot has shown last when the collector can't be reached. It completes a decision while its event is
 * dispatched, before the page gets it, so that pages that don't load it carry nothing of it.
 */
export function offlineSlots({ delivery, listeners: { on }, visitorIds, recent, consent }: PluginApi): void {
  const { storage, now } = delivery
  const last = createLastDecisions(storage, now)
  const person = () => {
    const { anonymousId, userId } = visitorIds.all()
    return jsonOf([anonymousId, userId])
  }
  const complete = (decision: SlotDecision) => {
    const { slotId, decisionId, outcome } = decision
    if (decisionId) last.keep(person(), decision)
    else if (outcome === 'unavailable') Object.assign(decision, last.recall(person(), slotId))
  }
  // A collector may honour these signals and decide nothing, which then isn't for want of an answer.
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean }
  if (globalPrivacyControl || doNotTrack === '1') {
    last.forget()
    return
  }
  on(window, 'slotstream:decision', event => complete((event as CustomEvent).detail))
  on(window, 'slotstream:visitor', last.forget)
  on(window, 'slotstream:consent', () => consent().personalization === 'granted' || last.forget())
  // As values, because the list has gaps after it was emptied.
  for (const { type, detail } of Object.values(recent))
    if (type === 'slotstream:decision') {
      const decision: SlotDecision = { ...detail }
      complete(decision)
      // It was decided too early for this: once more.
      if (decision.cachedAt) emit('refresh', decision.slotId)
    }
}
