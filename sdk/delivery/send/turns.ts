/** Lets one tab at a time run `body`. False: it was another tab's turn. */
export type TakeTurn = (body: () => Promise<void>) => Promise<boolean>

/**
 * Lets one tab of a browser send at a time, by Web Locks, which the browser gives to the next tab when this one ends.
 * They are missing on pages without HTTPS, and refuse in frames without an origin; there a lease in the store does,
 * which isn't loaded before.
 */
export function createTurns(
  name: string,
  locks: LockManager | undefined,
  loadLease: () => Promise<TakeTurn>,
): TakeTurn {
  return async body => {
    let begun = false
    try {
      await locks?.request(name, () => {
        begun = true
        return body()
      })
    } catch (error) {
      // Frames without an origin of their own have Web Locks that refuse.
      if (begun) throw error
    }
    if (begun) return true
    const byLease = await loadLease()
    return byLease(body)
  }
}
