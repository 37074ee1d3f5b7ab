import { type Chunk, emptyState, type SealedBatch, type State, type Tables, type Transact } from './tables.js'

/** Counts by reason. */
export type Dropped = Record<string, number>

/**
 * The queue on disk, as far as capturing needs it. Every function is one transaction and resolves when it is durable;
 * `createSealedBatches` adds what sending needs.
 */
export interface EventStore {
  /** Returns the state after the latest transaction of this page; undefined before the first. */
  known(): State | undefined
  /**
   * Writes chunks, numbering their messages, and counts them and `dropped` (captured, but never written) as captured.
   *
   * @param seq number that was given last, as far as the caller knows
   */
  add(chunks: Chunk[], dropped: Dropped, seq: number): Promise<State>
  /**
   * Puts a batch that was sealed by the caller in the place of its chunks. Reads nothing, so that it may complete
   * before the page ends.
   */
  putSealed(batch: SealedBatch, keys: string[]): Promise<void>
  /** Runs a transaction that changes the state. */
  update<T>(body: (tables: Tables, state: State) => Promise<T>): Promise<T>
  transact: Transact
}

/** Creates a store over any kind of tables. */
export function createEventStore(transact: Transact): EventStore {
  let lastState: State | undefined
  /** Runs a transaction that changes the state. */
  const update = <T>(body: (tables: Tables, state: State) => Promise<T>) =>
    transact(async tables => {
      const state = (await tables.meta.get('state')) ?? emptyState()
      const result = await body(tables, state)
      // Every captured message takes a number, also one that left before it could be written.
      state.ledger.captured = state.seq
      const written = tables.meta.put(state)
      // The page may end before the answer.
      tables.commit()
      await written
      lastState = state
      return result
    })
  return {
    known: () => lastState,
    add: (chunks, dropped, seq) =>
      update(async (tables, state) => {
        state.seq = Math.max(state.seq, seq)
        for (const chunk of chunks) {
          chunk.from = state.seq + 1
          const count = chunk.texts.length
          state.seq += count
          wait(state, count, chunk.bytes)
          await tables.chunks.put(chunk)
        }
        state.seq += drop(state, dropped)
        return state
      }),
    putSealed: (batch, keys) =>
      transact(async ({ chunks, batches, commit }) => {
        const writes = [batches.put(batch), ...keys.map(key => chunks.delete(key))]
        commit()
        await Promise.all(writes)
      }),
    update,
    transact,
  }
}

/** Changes how much waits. */
export function wait(state: State, count: number, bytes: number): void {
  state.waiting = Math.max(0, state.waiting + count)
  state.bytes = Math.max(0, state.bytes + bytes)
}

/** Counts what was dropped; returns how many in all. */
export function drop({ ledger }: State, dropped: Dropped): number {
  let total = 0
  for (const [reason, count] of Object.entries(dropped)) {
    ledger.dropped[reason] = (ledger.dropped[reason] ?? 0) + count
    total += count
  }
  return total
}
