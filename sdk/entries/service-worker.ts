import { deliverRest } from '../worker/deliver-rest.js'
import { restOf } from '../worker/sync-tag.js'

/** Event that the types of pages lack (https://wicg.github.io/background-sync/spec/). */
interface SyncEvent extends Event {
  tag: string
  waitUntil(work: Promise<unknown>): void
}

/**
 * Sends what is left after the tab is gone, by Background Sync: for a page's own service worker, as
 * `importScripts('https://collector.example/sdk/service-worker.js')` or `import 'slotstream/service-worker'`. Pages ask
 * for it by the option `backgroundSync`.
 */
addEventListener('sync', event => {
  const sync = event as SyncEvent
  const rest = restOf(sync.tag)
  if (rest) sync.waitUntil(deliverRest(rest))
})
