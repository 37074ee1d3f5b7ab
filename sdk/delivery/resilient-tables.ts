import type { Log } from '../platform/guard.js'
import type { Connection } from './indexed-tables.js'
import { createMemoryTables } from './memory-tables.js'
import type { State, Transact } from './tables.js'

/** Longest time a transaction or an opening may take. WebKit's IndexedDB is known to hang for good; nothing is worth waiting longer. */
const PATIENCE_MS = 5_000

/**
 * Transactions that don't fail. When one does, the connection is opened anew and it is tried once more (iOS Safari
 * closes handles in the background); when that fails too, the rest of the page's messages live in memory. What was
 * written before stays for the next page.
 *
 * @param open opens the durable tables; `onClosed` tells that the connection is gone
 * @param known the latest state, so that counting goes on
 * @param memoryOnly never opens the durable tables
 */
export function createResilientTables(
  open: (onClosed: () => void) => Promise<Connection>,
  known: () => State | undefined,
  log: Log,
  memoryOnly = false,
): { transact: Transact; close(): void; erase(): void } {
  let connection: Promise<Connection> | undefined
  let memory = memoryOnly ? createMemoryTables() : undefined
  let ended = false
  const reset = () => {
    connection = undefined
  }
  const close = () => {
    connection?.then(
      it => it.close(),
      () => {},
    )
    reset()
  }
  const connected = () => {
    connection ??= open(reset)
    return connection
  }
  return {
    /** What is still under way may open it once more, and closes it again. */
    close() {
      ended = true
      close()
    },
    /** Never opens the durable tables again: what comes later must not bring them back. */
    erase() {
      memory = createMemoryTables()
    },
    async transact(body) {
      for (let attempt = 0; attempt < 2 && !memory; attempt++)
        try {
          const result = await inTime(connected().then(({ transact }) => transact(body)))
          if (ended) close()
          return result
        } catch (error) {
          log(error)
          close()
        }
      memory ??= createMemoryTables(structuredClone(known()))
      return memory(body)
    },
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('IndexedDB hangs')), PATIENCE_MS)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
