/** Small texts that outlive the page. */
export interface KeyValue {
  get(key: string): string | undefined
  set(key: string, value: string): void
  remove(key: string): void
}

/**
 * localStorage that never throws: what it refuses (blocked, full, private mode) is kept in memory for this page.
 *
 * @param area reads `window.localStorage`; the property itself throws where storage is blocked
 * @param prefix put before every key
 */
export function createStorage(area: () => Storage, prefix: string): KeyValue {
  const memory = new Map<string, string>()
  const attempt = <T>(use: (storage: Storage) => T): T | undefined => {
    try {
      return use(area())
    } catch {
      return undefined
    }
  }
  return {
    get: key => memory.get(key) ?? attempt(storage => storage.getItem(prefix + key)) ?? undefined,
    set(key, value) {
      const stored = attempt(storage => {
        storage.setItem(prefix + key, value)
        return true
      })
      if (stored) memory.delete(key)
      else memory.set(key, value)
    },
    remove(key) {
      memory.delete(key)
      attempt(storage => storage.removeItem(prefix + key))
    },
  }
}
