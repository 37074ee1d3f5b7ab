import {
  type Chunk,
  emptyState,
  type SealedBatch,
  type State,
  type Table,
  type Tables,
  type Transact,
} from './tables.js'

/** Creates tables in memory: where IndexedDB is missing or broken, messages last as long as the page. */
export function createMemoryTables(state: State = emptyState()): Transact {
  const tables: Tables = {
    chunks: table((chunk: Chunk) => chunk.key),
    batches: table((batch: SealedBatch) => batch.batchId),
    meta: table(({ key }: State) => key, [state]),
    commit() {},
  }
  let last: Promise<unknown> = Promise.resolve()
  return body => {
    const done = last.then(() => body(tables))
    last = done.catch(() => {})
    return done
  }
}

function table<T>(keyOf: (record: T) => string, records: T[] = []): Table<T> {
  const remove = async (key: string) => {
    records = records.filter(record => keyOf(record) !== key)
  }
  return {
    get: async key => records.find(record => keyOf(record) === key),
    getAll: async (_, count) => records.slice(0, count),
    async put(record) {
      remove(keyOf(record))
      records.push(record)
      records.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    },
    delete: remove,
  }
}
