import type { Table, Transact } from './tables.js'

/** An open connection. */
export interface Connection {
  transact: Transact
  close(): void
}

/** Stores of the database, with the names of their keys. */
const STORES = { chunks: 'key', batches: 'batchId', meta: 'key' }

/** Resolves with the result of a request. */
const resultOf = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/** Opens the tables in IndexedDB. `onClosed` is called when the browser takes the connection away. */
export async function openIndexedTables(name: string, onClosed: () => void): Promise<Connection> {
  const opening = indexedDB.open(name, 1)
  opening.onupgradeneeded = () => {
    for (const [store, keyPath] of Object.entries(STORES)) opening.result.createObjectStore(store, { keyPath })
  }
  const db = await resultOf(opening)
  // A later version of this package on another tab wants to upgrade: don't block it.
  db.onversionchange = () => {
    db.close()
    onClosed()
  }
  // Safari on iOS closes the databases of pages in the background (https://bugs.webkit.org/show_bug.cgi?id=197050).
  db.onclose = onClosed
  return {
    close: () => db.close(),
    async transact(body) {
      const transaction = db.transaction(Object.keys(STORES), 'readwrite')
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error)
      })
      // Reported below, or by the call of `body` that failed.
      done.catch(() => {})
      const table = <T>(name: string): Table<T> => {
        const store = transaction.objectStore(name)
        return {
          get: key => resultOf<T | undefined>(store.get(key)),
          getAll: (query, count) => resultOf<T[]>(store.getAll(query, count)),
          put: record => resultOf(store.put(record)),
          delete: key => resultOf(store.delete(key)),
        }
      }
      try {
        const result = await body({
          chunks: table('chunks'),
          batches: table('batches'),
          meta: table('meta'),
          commit: () => transaction.commit(),
        })
        await done
        return result
      } catch (error) {
        try {
          transaction.abort()
        } catch {
          // It is over already, which is what was wanted.
        }
        throw error
      }
    },
  }
}
