/** Small texts that outlive the page. */
export interface KeyValue {
  get(key: string): string | undefined
  /** Keeps a text, or removes it when there is none. */
  set(key: string, text?: string): void
}

/** Small texts of this browser, which may have to stay in memory until the visitor agrees. */
export interface BrowserStorage extends KeyValue {
  /** Sets whether texts are stored beyond this page. Turned on, it writes what is in memory. */
  persist(on: boolean): void
  /** Removes everything, in memory and in the browser. */
  clear(): void
}

/**
 * Creates a localStorage that never throws: what it refuses (blocked, full, private mode) is kept in memory for this
 * page.
 *
 * @param area reads `window.localStorage`; the property itself throws where storage is blocked
 * @param prefix put before every key
 * @param persistent whether it begins with reading and writing localStorage
 */
export function createStorage(area: () => Storage, prefix: string, persistent = true): BrowserStorage {
  const memory = new Map<string, string | undefined>()
  const attempt = <T>(use: (storage: Storage) => T): T | undefined => {
    try {
      return persistent ? use(area()) : undefined
    } catch {
      return undefined
    }
  }
  const set = (key: string, text?: string) => {
    memory.set(key, text)
    attempt(storage => {
      // `removeItem` takes no notice of a text.
      storage[text ? 'setItem' : 'removeItem'](prefix + key, text as string)
      memory.delete(key)
    })
  }
  return {
    get: key => memory.get(key) ?? attempt(storage => storage.getItem(prefix + key)) ?? undefined,
    set,
    persist(on) {
      persistent = on
      if (on) for (const [key, text] of memory) set(key, text)
    },
    clear() {
      memory.clear()
      for (const key of attempt(Object.keys) ?? []) if (key.startsWith(prefix)) set(key.slice(prefix.length))
    },
  }
}
