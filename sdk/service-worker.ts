import { deliverRest } from './worker/deliver-rest.js'
import { restOf } from './worker/sync-tag.js'

/** What the types of pages don't say of workers (https://wicg.github.io/background-sync/spec/). */
interface SyncEvent extends Event {
  tag: string
  waitUntil(work: Promise<unknown>): void
}

interface WorkerScope {
  clients: { matchAll(options: { type: 'window' }): Promise<{ visibilityState: string }[]> }
}

/**
 * Sends what is left after the tab is gone, by Background Sync: for a page's own service worker, as
 * `importScripts('https://collector.example/sdk/service-worker.js')` or `import 'slotstream/service-worker'`. Pages ask
 * for it by the option `backgroundSync`.
 */
addEventListener('sync', event => {
  const sync = event as SyncEvent
  const rest = restOf(sync.tag)
  if (rest) sync.waitUntil(unlessSeen(() => deliverRest(rest)))
})

/** A page that somebody looks at sends by itself, and sooner. */
async function unlessSeen(run: () => Promise<void>): Promise<void> {
  const pages = await (self as unknown as WorkerScope).clients.matchAll({ type: 'window' })
  if (!pages.some(({ visibilityState }) => visibilityState === 'visible')) await run()
}
