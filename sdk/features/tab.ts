/** Where a tab keeps its id between two pages: in `sessionStorage`. */
const KEY = 'slotstream.tab'

/** The id of a tab, by which only one page at a time goes on. */
export interface Tab {
  id(): string
  /** Leaves the id to the next page of this tab. */
  handOver(): void
  /** Takes the id again, for a page that comes back. */
  takeAgain(): void
}

/**
 * Creates the id of this tab. A page takes it out of the storage and puts it back when it ends, so that what copies the
 * storage meanwhile, a duplicated tab or a window that the page opens, copies no id.
 *
 * @param mayKeep whether anything may be stored in this browser
 */
export function createTab(newId: () => string, mayKeep: () => boolean): Tab {
  let id: string | undefined
  const attempt = <T>(use: (storage: Storage) => T): T | undefined => {
    try {
      return use(sessionStorage)
    } catch {
      return undefined
    }
  }
  const take = () => {
    const left = mayKeep() ? attempt(storage => storage.getItem(KEY)) : undefined
    attempt(storage => storage.removeItem(KEY))
    return left && /^[\w-]{1,64}$/.test(left) ? left : newId()
  }
  return {
    id() {
      id ??= take()
      return id
    },
    handOver() {
      const left = id
      if (left && mayKeep()) attempt(storage => storage.setItem(KEY, left))
    },
    takeAgain() {
      id = undefined
    },
  }
}
