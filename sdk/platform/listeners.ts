import { guard, type Log } from './guard.js'

/** Adds guarded listeners and remembers them. */
export interface Listeners {
  on(target: EventTarget, type: string, listener: (event: Event) => void, options?: AddEventListenerOptions): void
  /** Removes them all. */
  off(): void
  /** Aborted by `off`: for what else has to end then. */
  signal: AbortSignal
}

export function createListeners(log: Log): Listeners {
  const abort = new AbortController()
  return {
    on: (target, type, listener, options) =>
      target.addEventListener(type, event => guard(log, () => listener(event)), { ...options, signal: abort.signal }),
    off: () => abort.abort(),
    signal: abort.signal,
  }
}
