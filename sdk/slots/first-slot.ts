import type { Listeners } from '../platform/listeners.js'
import { watchAdded } from '../platform/watch-added.js'

/** Resolves when the document has a slot: what fills slots and watches over them isn't loaded for pages without one. */
export function firstSlot({ signal }: Pick<Listeners, 'signal'>): Promise<void> {
  return new Promise(resolve => {
    const watch = new AbortController()
    signal.addEventListener('abort', () => watch.abort())
    watchAdded('data-slot', watch.signal, () => {
      watch.abort()
      resolve()
    })
  })
}
