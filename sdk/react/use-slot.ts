import { type RefCallback, useContext, useEffect, useMemo, useRef, useState } from 'react'
import { type Consent, personalize } from '../entries/index.js'
import type { PayloadOf, SlotIdIn } from '../slots/payload-of.js'
import type { PersonalizeOptions, Properties, SlotDecision, SlotItem, SlotOutcome } from '../types.js'
import { decisionFor, HandedOver, putAway } from './handed-over.js'
import { serveSlots } from './serve-slots.js'
import { watch } from './watch.js'

export interface UseSlotOptions extends Omit<PersonalizeOptions, 'fallback' | 'signal'> {
  /** A decision that the server made for this slot while it rendered. Default: that of the provider, if any. */
  decision?: SlotDecision | undefined
}

/** Content that a slot shows. */
export interface SlotAnswer<Payload = Record<string, unknown>> {
  /** `waiting`: not decided yet, as on the server. In all cases but `served` the page's own content is to be shown. */
  outcome: SlotOutcome | 'waiting'
  /** Items to show; empty in all cases but `served`. */
  items: SlotItem<Payload>[]
  /** Names the stored record of the choice; '' while there is none. */
  decisionId: string
  /**
   * Makes the `ref` of the element that shows an item, so that `Slot Viewed` and `Slot Clicked` are tracked. Without an
   * item: of the element with the page's own content, so that visitors of the holdout can be compared.
   */
  watch(item?: SlotItem<Payload>): RefCallback<Element>
}

/**
 * Asks what to show in a slot once the component is mounted, and again when the slot or the options change, or when the
 * visitor agrees to personalization. Once it is unmounted nothing is waited for. All slots of one rendering share a
 * request.
 */
export function useSlot<Payload = Record<string, unknown>, Id extends string = string>(
  slotId: Id & SlotIdIn<Id>,
  options: UseSlotOptions = {},
): SlotAnswer<PayloadOf<Id, Payload>> {
  const { decision, ...request } = options
  const key = JSON.stringify([slotId, request])
  const decisions = useContext(HandedOver)
  const handed = useMemo(() => decisionFor(slotId, decisions), [slotId, decisions])
  // Where the server got none, the page asks.
  const initial = decision?.decisionId ? decision : handed
  const [latest, setLatest] = useState<{ key: string; answer: SlotDecision }>()
  const showing = useRef<SlotDecision>(undefined)

  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the slot and the options
  useEffect(() => {
    // StrictMode takes effects away and brings them back in the same task: what they do waits for the task's end.
    showing.current = initial
    const abort = new AbortController()
    const { signal } = abort
    let refused = false
    const none = (outcome: SlotOutcome) => setLatest({ key, answer: { slotId, decisionId: '', outcome, items: [] } })
    const ask = async (isAgain = false) => {
      await undefined
      if (signal.aborted) return
      const answer = await personalize<Properties, string>(slotId, { ...request, signal })
      const isNew = !isAgain || answer.decisionId || answer.preview
      if (signal.aborted || !(isNew || answer.cachedAt)) return
      refused = answer.outcome === 'unavailable'
      // What is shown stays where nothing was decided anew.
      setLatest(before => {
        const shown = before?.key === key ? before.answer : initial
        return isNew || shown?.outcome !== 'served' ? { key, answer } : before
      })
    }
    if (!initial) void ask()
    serveSlots()
    const on = (name: string, listener: (detail: unknown) => unknown) =>
      window.addEventListener(`slotstream:${name}`, event => void listener((event as CustomEvent).detail), { signal })
    // What was chosen for a person leaves the screen when they no longer agree, or are another one.
    on('visitor', () => none('aborted'))
    on('consent', detail => {
      const { analytics, personalization } = detail as Consent
      if (refused) return ask()
      refused = personalization === 'denied' || analytics === 'denied'
      if (refused) none('unavailable')
    })
    on('refresh', id => (id ?? slotId) === slotId && ask(true))
    return () => {
      abort.abort()
      showing.current = undefined
      if (initial) queueMicrotask(() => showing.current === initial || putAway(initial))
    }
  }, [key, initial])

  const shown = latest?.key === key ? latest.answer : initial
  return useMemo(() => answerOf<PayloadOf<Id, Payload>>(shown), [shown])
}

function answerOf<Payload>(decision: SlotDecision | undefined): SlotAnswer<Payload> {
  const { slotId = '', decisionId = '', outcome = 'waiting', items = [] } = decision ?? {}
  // A `ref` that is another one at every rendering would be let go and taken up each time.
  const refs = new Map<number, RefCallback<Element>>()
  const refOf = (contentId: string, position: number): RefCallback<Element> => {
    const shown = { slotId, contentId, decisionId, position }
    return element => {
      if (element && decisionId) watch(element, shown)
    }
  }
  return {
    outcome,
    items: (outcome === 'served' ? items : []) as SlotItem<Payload>[],
    decisionId,
    watch(item) {
      const { contentId = '', position = 1 } = item ?? {}
      const ref = refs.get(position) ?? refOf(contentId, position)
      refs.set(position, ref)
      return ref
    },
  }
}
