import { run } from '../client/calls.js'
import type { PluginApi } from '../client/plugin-api.js'
import { createImpressions, type Shown } from '../slots/impressions.js'

type Impressions = ReturnType<typeof createImpressions>

const impressions = new WeakMap<PluginApi, Impressions>()
const watched = new WeakMap<Element, Shown>()

function impressionsOf(client: PluginApi): Impressions {
  let ofClient = impressions.get(client)
  if (!ofClient) {
    ofClient = createImpressions(client)
    impressions.set(client, ofClient)
    client.listeners.signal.addEventListener('abort', ofClient.stop)
  }
  return ofClient
}

/** Tracks `Slot Viewed` and `Slot Clicked` for an element. The same again, as React may ask, changes nothing. */
export function watch(element: Element, shown: Shown): void {
  if (watched.get(element) === shown) return
  watched.set(element, shown)
  run(client => impressionsOf(client).watch(element, shown))
}
