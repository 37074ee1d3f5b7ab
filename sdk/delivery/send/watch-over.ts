import type { Listeners } from '../../platform/listeners.js'

/**
 * Looks after messages of tabs that ended before they had sent everything: one tab of the browser, chosen by a Web
 * Lock, calls `look` when it is chosen, and whenever another tab has stored something, which the event `storage`
 * reports. Without Web Locks every tab looks; the lease for sending keeps them apart.
 *
 * @param key end of the localStorage key that changes with every write
 */
export function watchOver(
  name: string,
  key: string,
  locks: LockManager | undefined,
  { on, signal }: Listeners,
  look: () => void,
): void {
  let chosen = !locks
  let releaseLock = () => {}
  const requestLock = () => {
    const untilReleased = () =>
      new Promise<void>(resolve => {
        chosen = true
        releaseLock = resolve
        look()
      })
    // Rejects when the page ends before it is chosen.
    locks?.request(name, { signal }, untilReleased).catch(() => {})
  }
  requestLock()
  signal.addEventListener('abort', () => releaseLock())
  on(window, 'storage', event => {
    if (chosen && (event as StorageEvent).key?.endsWith(key)) look()
  })
  // A page that holds a lock isn't kept in the back/forward cache.
  on(window, 'pagehide', () => releaseLock())
  on(window, 'pageshow', event => {
    if ((event as PageTransitionEvent).persisted) requestLock()
  })
}
