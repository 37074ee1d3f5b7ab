import { createElement, Fragment, type ReactElement, type ReactNode } from 'react'
import type { PayloadOf, SlotIdIn } from '../slots/payload-of.js'
import type { SlotItem } from '../types.js'
import { type UseSlotOptions, useSlot } from './use-slot.js'

export interface SlotProps<Payload = Record<string, unknown>, Id extends string = string> extends UseSlotOptions {
  /** Names the slot: one of those that `Slots` declares, where it declares some and no type of payload is given. */
  id: Id & SlotIdIn<Id>
  /**
   * The page's own content: shown on the server, until the answer is there, and in all cases but `served`. Default
   * none.
   */
  fallback?: ReactNode
  /** Shown until the answer is there, to keep its place. Default: `fallback`. */
  waiting?: ReactNode
  /** Element around each item, and around the page's own content. Default `div`. */
  as?: 'article' | 'aside' | 'div' | 'figure' | 'li' | 'section' | 'span'
  /** Class of these elements. Default none. */
  className?: string
  /** Renders an item. */
  children: (item: SlotItem<PayloadOf<Id, Payload>>) => ReactNode
}

/**
 * Renders a slot: an element for each item that was chosen, or one with the page's own content. What is seen and
 * clicked is tracked.
 */
export function Slot<Payload = Record<string, unknown>, Id extends string = string>(
  props: SlotProps<Payload, Id>,
): ReactElement {
  const { id, fallback, waiting = fallback, as = 'div', className, children, ...options } = props
  const { outcome, items, watch, decisionId } = useSlot<Payload, Id>(id, options)
  if (outcome === 'served')
    return createElement(
      Fragment,
      null,
      items.map(item =>
        createElement(as, { key: `${decisionId} ${item.position}`, ref: watch(item), className }, children(item)),
      ),
    )
  const placeholder = outcome === 'waiting' ? waiting : fallback
  if (placeholder === undefined || placeholder === null) return createElement(Fragment)
  return createElement(as, { ref: outcome === 'holdout' ? watch() : null, className }, placeholder)
}
