import type { State } from '../delivery/database/tables.js'

/**
 * Reads the counters of a browser's queue, as IndexedDB has them; undefined where it has none. Only looks: a database
 * that isn't there is not made.
 */
export function queueState(name: string): Promise<State | undefined> {
  return new Promise(resolve => {
    const nothing = () => resolve(undefined)
    try {
      const opening = indexedDB.open(name)
      opening.onupgradeneeded = () => opening.transaction?.abort()
      opening.onerror = opening.onblocked = nothing
      opening.onsuccess = () => {
        const database = opening.result
        try {
          const reading = database.transaction('meta').objectStore('meta').get('state')
          reading.onsuccess = () => resolve(reading.result as State | undefined)
          reading.onerror = nothing
        } catch {
          nothing()
        }
        database.close()
      }
    } catch {
      nothing()
    }
  })
}
