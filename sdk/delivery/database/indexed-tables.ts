import { type DBSchema, openDB, unwrap, wrap } from 'idb'
import type { Chunk, SealedBatch, State, Table, Transact } from './tables.js'

interface Schema extends DBSchema {
  chunks: { key: string; value: Chunk }
  batches: { key: string; value: SealedBatch }
  meta: { key: string; value: State }
}

/** An open connection. */
export interface Connection {
  transact: Transact
  close(): void
}

/**
 * Opens the tables in IndexedDB. `onClosed` is called when the browser takes the connection away.
 *
 * Uses the opening and the promises of requests of `idb`, not the proxies: they are most of its size.
 */
export async function openIndexedTables(name: string, onClosed: () => void): Promise<Connection> {
  const db = unwrap(
    await openDB<Schema>(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore('chunks', { keyPath: 'key' })
        fresh.createObjectStore('batches', { keyPath: 'batchId' })
        fresh.createObjectStore('meta', { keyPath: 'key' })
      },
      // A later version of this package on another tab wants to upgrade: don't block it.
      blocking() {
        db.close()
        onClosed()
      },
      // Safari on iOS closes the databases of pages in the background (idb issue 229).
      terminated: onClosed,
    }),
  )
  return {
    close: () => db.close(),
    async transact(body) {
      const transaction = db.transaction(['chunks', 'batches', 'meta'], 'readwrite')
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error)
      })
      // Reported below, or by the call of `body` that failed.
      done.catch(() => {})
      const table = <T>(name: string): Table<T> => {
        const store = transaction.objectStore(name)
        return {
          get: key => wrap<T | undefined>(store.get(key)),
          getAll: (query, count) => wrap<T[]>(store.getAll(query, count)),
          put: record => wrap(store.put(record)),
          delete: key => wrap(store.delete(key)),
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
