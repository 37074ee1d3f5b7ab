import type { PluginApi } from '../../client/plugin-api.js'
import { syncTag } from '../../worker/sync-tag.js'

/** A worker's registration where the browser has Background Sync, which only Chromium has. */
interface Registration {
  sync?: { register(tag: string): Promise<void> }
}

/**
 * Asks for a sync, by which the page's service worker sends what is left: when the page hides, and while it is offline.
 */
export function backgroundSync({ settings, listeners, log }: PluginApi): () => void {
  const { serviceWorker } = navigator as { serviceWorker?: ServiceWorkerContainer }
  const path = settings.backgroundSync
  if (!serviceWorker || settings.cookieless) return () => {}
  const ask = async () => {
    const registration = (await serviceWorker.getRegistration()) as Registration | undefined
    await registration?.sync?.register(syncTag(settings))
  }
  const tryToAsk = () => void ask().catch(log)
  if (typeof path === 'string') serviceWorker.register(path).catch(log)
  listeners.on(document, 'visibilitychange', () => {
    if (document.visibilityState === 'hidden') tryToAsk()
  })
  // Online, the page's own attempts come sooner.
  listeners.on(window, 'slotstream:retry', () => {
    if (!navigator.onLine) tryToAsk()
  })
  return () => {}
}
