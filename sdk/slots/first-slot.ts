import type { Listeners } from '../platform/listeners.js'
import { watchAdded } from '../platform/watch-added.js'

/** Resolves when the document has a slot: what fills slots and watches over them isn't loaded for pages without one. */
export function firstSlot({ signal }: Pick<Listeners, 'signal'>): Promise<void> {
  return new Promise(resolve =>
    watchAdded('data-slot', signal, (_, observer) => {
      observer.disconnect()
      resolve()
    }),
  )
}
