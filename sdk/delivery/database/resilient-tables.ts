import type { Log } from '../../platform/guard.js'
import type { Connection } from './indexed-tables.js'
import type { createMemoryTables } from './memory-tables.js'
import type { State, Transact } from './tables.js'

/**
 * Longest time a transaction or an opening may take. WebKit's IndexedDB is known to hang for good
 * (https://bugs.webkit.org/show_bug.cgi?id=226547); nothing is worth waiting longer.
 */
const PATIENCE_MS = 5_000

/**
 * Creates transactions that don't fail. When one does, the connection is opened again and it is tried once more (iOS
 * Safari closes handles in the background); when that fails too, the rest of the page's messages stay in memory.
 * Messages written before stay for the next page. Until the tables in memory have loaded they wait, and their messages
 * with the outbox, which sends them when the page ends.
 *
 * @param open opens the durable tables; `onClosed` tells that the connection is gone
 * @param lastState the latest state, so that counting goes on
 * @param loadMemory finds what makes tables in memory
 * @param memoryOnly never opens the durable tables
 */
export function createResilientTables(
  open: (onClosed: () => void) => Promise<Connection>,
  lastState: () => State | undefined,
  loadMemory: () => Promise<typeof createMemoryTables>,
  log: Log,
  memoryOnly = false,
): { transact: Transact; close(): void; erase(): void } {
  let connection: Promise<Connection> | undefined
  let memory: Promise<Transact> | undefined
  let durable = !memoryOnly
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
    /** A transaction under way may open it once more, and closes it again. */
    close() {
      ended = true
      close()
    },
    /** Never opens the durable tables again: a later transaction must not bring them back. */
    erase() {
      durable = false
    },
    async transact(body) {
      for (let attempt = 0; attempt < 2 && durable; attempt++)
        try {
          const result = await inTime(connected().then(({ transact }) => transact(body)))
          if (ended) close()
          return result
        } catch (error) {
          log(error)
          close()
        }
      durable = false
      memory ??= loadMemory().then(create => create(structuredClone(lastState())))
      const transact = await memory
      return transact(body)
    },
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('IndexedDB hangs')), PATIENCE_MS)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
