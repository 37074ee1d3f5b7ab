import { type DBSchema, openDB } from 'idb'
import type { Chunk, SealedBatch, State, Transact } from './tables.js'

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

/** Opens the tables in IndexedDB. `onClosed` is called when the browser takes the connection away. */
export async function openIndexedTables(name: string, onClosed: () => void): Promise<Connection> {
  const db = await openDB<Schema>(name, 1, {
    upgrade(fresh) {
      fresh.createObjectStore('chunks', { keyPath: 'key' })
      fresh.createObjectStore('batches', { keyPath: 'batchId' })
      fresh.createObjectStore('meta', { keyPath: 'key' })
    },
    // A later version of this package on another tab wants to upgrade: don't stand in its way.
    blocking() {
      db.close()
      onClosed()
    },
    // Safari on iOS closes the databases of pages in the background (idb issue 229).
    terminated: onClosed,
  })
  return {
    close: () => db.close(),
    async transact(body) {
      const transaction = db.transaction(['chunks', 'batches', 'meta'], 'readwrite')
      const { done } = transaction
      // Reported below, or by whatever of `body` failed.
      done.catch(() => {})
      try {
        const result = await body({
          chunks: transaction.objectStore('chunks'),
          batches: transaction.objectStore('batches'),
          meta: transaction.objectStore('meta'),
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
