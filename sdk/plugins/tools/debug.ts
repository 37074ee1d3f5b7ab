import type { PluginApi } from '../../client/plugin-api.js'
import { follow } from '../../inspector/happenings.js'
import { linesOf } from '../../inspector/lines.js'
import { createListeners } from '../../platform/listeners.js'

/** The plugin starts again when the visitor's consent changes: nothing is written twice. */
const written = new WeakSet<Event>()

/** Writes to the console what the package does, beginning with what it did before this was loaded. */
export function debug({ recent }: PluginApi): () => void {
  // Not the client's own listeners: an error in here would be an event again.
  const listeners = createListeners(console.error)
  follow(recent, listeners, (happening, event) => {
    if (written.has(event)) return
    written.add(event)
    for (const { level, text, objects } of linesOf(happening)) console[level](`[slotstream] ${text}`, ...objects)
  })
  return listeners.off
}
