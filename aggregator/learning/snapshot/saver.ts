import type { Log } from '@slotstream/runtime'
import type { LearningMetrics } from '../metrics.js'
import type { Answers, FoldCounts } from '../thread/messages.js'
import type { SnapshotStore } from './snapshot-store.js'

/** Records after which a snapshot is written before its time. */
const MANY_RECORDS = 100_000

/** Least time between two snapshots, in milliseconds: those after a removal, for which a deletion waits. */
const LEAST_MS = 2_000

/** Time between two looks at the snapshot that counts, in milliseconds: another process may write it. */
const REFRESH_MS = 30_000

export interface SaverDeps {
  store: SnapshotStore
  /** Whether this process is the one that writes snapshots at this moment. */
  writesSnapshots: () => boolean
  /** Time between two snapshots, in milliseconds. */
  everyMs: number
  metrics: Pick<LearningMetrics, 'snapshotAge'>
  log: Log
}

/** Where what is saved begins. */
export interface SaverStart {
  /** Name of the rebuild that it goes back to. Undefined: to none */
  origin: string | undefined
  /** Whether a stream has lost its end. */
  isReset: boolean
  /**
   * Called when the snapshot that counts goes back to another rebuild: what is saved here is not to be learned from.
   */
  onRebuilt: () => void
}

/** Decides when a snapshot is written, and writes it. */
export interface Saver {
  /** There is a snapshot of this time. */
  noteSnapshot(at: number): void
  /** Messages were learned from. */
  note(counts: FoldCounts): void
  /** From now on there is something to save. */
  begin(save: () => Promise<Answers['save']>, from: SaverStart): void
  /** There is nothing to save any more. */
  end(): void
  saveIfDue(): Promise<void>
  /** Saves what is new, whenever the last snapshot was. */
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
