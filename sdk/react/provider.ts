import { createElement, type ReactElement, type ReactNode, useEffect, useRef } from 'react'
import { running } from '../client/calls.js'
import { destroy, init, type Options, type SlotDecision } from '../entries/index.js'
import { HandedOver } from './handed-over.js'

export interface SlotstreamProviderProps {
  /**
   * Options of `init`, which is called when the provider is mounted; a change of them later does nothing. Without them
   * `init` is yours to call, before or after.
   */
  options?: Options
  /**
   * Decisions that the server asked `/v1/slots` for while it rendered. The slots they name are rendered with them, on
   * the server and in the browser alike, and need no second request. Default none.
   */
  decisions?: readonly SlotDecision[]
  children?: ReactNode
}

const NONE: readonly SlotDecision[] = []

/** Starts the package for the tree below it, and ends it when that is gone. */
export function SlotstreamProvider({ options, decisions = NONE, children }: SlotstreamProviderProps): ReactElement {
  const mounted = useRef(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the package starts once
  useEffect(() => {
    mounted.current = true
    const starts = options && !running()
    if (starts) init(options)
    return () => {
      mounted.current = false
      // StrictMode takes effects away and brings them back in the same task: that isn't the end.
      if (starts) queueMicrotask(() => mounted.current || destroy())
    }
  }, [])
  return createElement(HandedOver.Provider, { value: decisions }, children)
}
