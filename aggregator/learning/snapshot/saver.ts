import type { Log } from '@slotstream/runtime'
import type { LearningMetrics } from '../metrics.js'
import type { Answers, FoldCounts } from '../thread/messages.js'
import type { SnapshotStore } from './snapshot-store.js'

/** Records after which a snapshot is written before its interval is over. */
const MANY_RECORDS = 100_000

/** Least time between two snapshots, in milliseconds, after a removal: the deletion of a person waits for them. */
const LEAST_MS = 2_000

/** Interval at which the current snapshot is read, in milliseconds: another process may have written it. */
const REFRESH_MS = 30_000

/** Dependencies of the saver. */
export interface SaverDeps {
  store: SnapshotStore
  /** Tells whether this process is the one that writes snapshots now. */
  writesSnapshots: () => boolean
  /** Time between two snapshots, in milliseconds. */
  everyMs: number
  metrics: Pick<LearningMetrics, 'snapshotAge'>
  log: Log
}

/** The state from which learning continues. */
export interface SaverStart {
  /** Name of the rebuild that it descends from. Undefined: none */
  origin: string | undefined
  /** Whether a stream has lost messages that were learned from. */
  isReset: boolean
  /**
   * Is called when the current snapshot descends from another rebuild: learning must begin again from it.
   */
  onRebuilt: () => void
}

/** Decides when a snapshot is written, and writes it. */
export interface Saver {
  /** Notes that there is a snapshot, and when it was written. */
  noteSnapshot(at: number): void
  /** Notes that messages were learned from. */
  note(counts: FoldCounts): void
  /** Sets the function that returns the state to save. */
  begin(save: () => Promise<Answers['save']>, from: SaverStart): void
  /** Notes that there is no state to save any more. */
  end(): void
  /** Writes a snapshot if it is due, and this process is the one that does. */
  saveIfDue(): Promise<void>
  /** Writes a snapshot if anything is new, however recent the last one is. */
  saveLast(): Promise<void>
}

/** Creates the saver of one process. */
export function createSaver({ store, writesSnapshots, everyMs, metrics, log }: SaverDeps): Saver {
  const startedAt = Date.now()
  let save: (() => Promise<Answers['save']>) | undefined
  let from: SaverStart | undefined
  let isReset = false
  let savedAt = 0
  let lookedAt = 0
  let records = 0
  let removals = 0

  async function refresh(): Promise<void> {
    lookedAt = Date.now()
    const { manifest } = await store.readManifest()
    if (manifest) savedAt = Math.max(savedAt, manifest.at)
    if (manifest && from && manifest.origin !== from.origin) from.onRebuilt()
    if (savedAt > 0) metrics.snapshotAge.set((Date.now() - savedAt) / 1_000)
  }

  async function write(): Promise<void> {
    if (!save) return
    const noted = { records, removals }
    const { chunks, positions, at } = await save()
    const origin = from?.origin
    const snapshot = { chunks, positions, at, ...(origin !== undefined && { origin }) }
    const written = await store.write(snapshot, isReset ? 'also later' : 'earlier')
    if (written === 'another was rebuilt') from?.onRebuilt()
    records -= noted.records
    removals -= noted.removals
    savedAt = Math.max(savedAt, at)
    isReset = false
    metrics.snapshotAge.set((Date.now() - savedAt) / 1_000)
    if (written === 'written') log.debug({ chunks: chunks.length }, 'saved what was learned')
    else log.info({ outcome: written }, 'a snapshot of what was learned was not needed')
  }

  return {
    noteSnapshot(at) {
      savedAt = Math.max(savedAt, at)
    },
    note(counts) {
      records += counts.records + counts.contents
      removals += counts.removals
    },
    begin(toSave, start) {
      save = toSave
      from = start
      isReset = start.isReset
    },
    end() {
      save = undefined
      from = undefined
    },
    async saveIfDue() {
      if (Date.now() >= lookedAt + REFRESH_MS) await refresh()
      if (!save || !writesSnapshots() || records + removals === 0) return
      const age = Date.now() - Math.max(savedAt, startedAt)
      if (age >= everyMs || records >= MANY_RECORDS || (removals > 0 && age >= LEAST_MS)) await write()
    },
    async saveLast() {
      if (records + removals > 0) await write()
    },
  }
}
