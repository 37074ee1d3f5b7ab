import type { KeyValue } from '../platform/storage.js'

/** Who uses this browser. Read from storage each time, so that a `reset` in one tab holds in all of them. */
export function createIdentity(storage: KeyValue, newId: () => string) {
  return {
    anonymousId(): string {
      let id = storage.get('anonymousId')
      if (!id) {
        id = newId()
        storage.set('anonymousId', id)
      }
      return id
    },
    userId: () => storage.get('userId'),
    identify: (userId: string) => storage.set('userId', userId),
    /** Forgets the person, and what the browser did under them: the next visitor is a new one. */
    reset() {
      storage.remove('userId')
      storage.remove('anonymousId')
    },
  }
}
