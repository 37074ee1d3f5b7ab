import type { Listeners } from '../../platform/listeners.js'

/**
 * Looks after what a tab leaves that ends before it has sent everything: one tab of the browser, chosen by a Web Lock,
 * calls `look` when it is chosen, and whenever another tab has stored something, which localStorage tells by its event.
 * Without Web Locks every tab looks; the lease for sending keeps them apart.
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
  let leave = () => {}
  const stand = () => {
    const hold = () =>
      new Promise<void>(resolve => {
        chosen = true
        leave = resolve
        look()
      })
    // Rejects when the page ends before it is chosen.
    locks?.request(name, { signal }, hold).catch(() => {})
  }
  stand()
  signal.addEventListener('abort', () => leave())
  on(window, 'storage', event => {
    if (chosen && (event as StorageEvent).key?.endsWith(key)) look()
  })
  // A page that holds a lock isn't kept in the back/forward cache.
  on(window, 'pagehide', () => leave())
  on(window, 'pageshow', event => {
    if ((event as PageTransitionEvent).persisted) stand()
  })
}
