import { type Installation, type Log, type Metrics, type Nats, repeat, within } from '@slotstream/runtime'
import { type ContentAge, createContentAge } from './contents/content-age.js'
import { type Contents, createContentSet } from './contents/content-set.js'
import { learningMetrics } from './metrics.js'
import { createModelSet, type Models } from './models.js'
import { createFoldNotes, createNewsNotes } from './notes.js'
import { catchUp, followLearning } from './read-learning.js'
import { keepRunning } from './restarts.js'
import { createSaver, type Saver } from './snapshot/saver.js'
import { createSnapshotStore, type SnapshotStore } from './snapshot/snapshot-store.js'
import { type LearningThread, startLearningThread } from './thread/learning-thread.js'
import type { ReadMessage } from './thread/messages.js'

/** Interval at which it is checked whether a snapshot is due, in milliseconds. */
const LOOK_MS = 500

/** Time that the last snapshot may take while the process stops, in milliseconds. */
const STOP_MS = 5_000

const NOT_WRITTEN = 'the last snapshot of what was learned could not be written'

/** Dependencies of learning. */
export interface LearningDeps {
  nats: Nats
  installation: Pick<Installation, 'streams' | 'past' | 'buckets'>
  metrics: Metrics
  log: Log
  /** Tells whether this process is the one that writes snapshots now. */
  writesSnapshots: () => boolean
  /** Time between two snapshots, in milliseconds. */
  snapshotEveryMs: number
  /** Memory that the sums of all slots may take, in bytes. */
  maxBytes: number
}

/** Learning in this process: models and counts from all learning records of the installation. */
export interface Learning extends Models, Contents {
  /** Returns the age of the counts of content: how long messages may have been missing, in milliseconds. */
  contentAgeMs(): number
  /** Returns lines about what is missing until all models are up to date. Older models can be used before. */
  missing(): string[]
  /** Returns for each stream the sequence of the last message that was learned from. */
  learned(): { stream: string; through: number }[]
  /** Writes a last snapshot if this process is the one that does, then ends. Models can still be read. */
  stop(): Promise<void>
}

/**
 * Starts learning in the background, in a thread of its own: from the last snapshot, then from the streams of learning
 * records. After a failure it begins again from the snapshot; meanwhile, models can be read as they were.
 */
export function startLearning(deps: LearningDeps): Learning {
  const { nats, installation, log, writesSnapshots, snapshotEveryMs, maxBytes } = deps
  const metrics = learningMetrics(deps.metrics)
  const models = createModelSet()
  const contents = createContentSet()
  const age = createContentAge()
  const store = createSnapshotStore(nats, installation.buckets.learning, log)
  const saver = createSaver({ store, writesSnapshots, everyMs: snapshotEveryMs, metrics, log })
  const ending = new AbortController()
  const through = new Map<string, number>()
  const noteFolded = createFoldNotes(metrics, log)
  const noteNews = createNewsNotes(models, contents, age, metrics, log)
  let isCaughtUp = false
  let stopReading = async () => {}
  let thread: LearningThread | undefined

  async function learn(): Promise<void> {
    let endOfThread = (_error: Error) => {}
    const broken = new Promise<never>((_, reject) => {
      endOfThread = reject
    })
    broken.catch(() => {})
    const worker = startLearningThread(maxBytes, noteNews, endOfThread)
    thread = worker
    const take = async (messages: ReadMessage[]) => {
      const counted = age.counting(messages)
      const counts = await worker.ask({ type: 'fold', messages })
      counted(counts.contents > 0)
      for (const { stream, seq } of messages) through.set(stream, seq)
      noteFolded(counts)
      saver.note(counts)
    }
    try {
      const { positions, origin } = await load(worker, store, saver, age, log)
      const readDeps = { nats, log, take }
      const { live, isReset } = await catchUp(readDeps, installation, positions)
      if (ending.signal.aborted) return
      for (const { name, from } of live) through.set(name, from - 1)
      const following = followLearning(readDeps, live)
      stopReading = following.stop
      const onRebuilt = () => endOfThread(new ModelsRebuilt())
      saver.begin(() => worker.ask({ type: 'save' }), { origin, isReset, onRebuilt })
      isCaughtUp = true
      age.caughtUp()
      log.info({ slots: models.size }, 'models are up to date')
      await Promise.race([following.reading, broken])
    } finally {
      saver.end()
      await stopReading()
      if (!ending.signal.aborted) await worker.stop()
    }
  }

  const learning = keepRunning(learn, ending.signal, (error, waitMs) => {
    metrics.restarts.inc()
    noteAgain(error, waitMs, log)
  })
  const saving = repeat(saver.saveIfDue, LOOK_MS, ending.signal, error =>
    log.warn({ err: error }, 'a snapshot of what was learned could not be written, trying again'),
  )

  return {
    ...{ modelOf: models.modelOf, contentOf: contents.contentOf, contentAgeMs: age.ageMs },
    missing: () => (isCaughtUp ? [] : ['decisions: models are still to be brought up to date']),
    learned: () => [...through].map(([stream, seq]) => ({ stream, through: seq })),
    async stop() {
      // Read first: partitions, on which it depends, are released while the process stops.
      const isWriter = writesSnapshots()
      ending.abort()
      await saving
      if (
        isWriter &&
        !(await within(
          STOP_MS,
          saver.saveLast().catch(error => log.warn({ err: error }, NOT_WRITTEN)),
        ))
      )
        log.warn('the last snapshot of what was learned was not written in time')
      await stopReading()
      await thread?.stop()
      await learning
    },
  }
}

function noteAgain(error: unknown, waitMs: number, log: Log): void {
  if (error instanceof ModelsRebuilt) {
    log.info('models were rebuilt: beginning again from them')
    return
  }
  const isMemory = (error as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
  const why = isMemory ? ': its thread has no more memory, set LEARNING_MEMORY_MB to what the snapshot needs' : ''
  log.error({ err: error, waitMs }, `learning failed${why}; beginning again from the last snapshot`)
}

/** Ends learning after a rebuild of the models, with which the state here has nothing to do. */
class ModelsRebuilt extends Error {
  override name = 'ModelsRebuilt'
}

/**
 * Loads the current snapshot; without one, learning begins with nothing. Resolves to the positions from which to read
 * on, and the rebuild that the snapshot descends from.
 */
async function load(
  thread: LearningThread,
  store: SnapshotStore,
  saver: Saver,
  age: ContentAge,
  log: Log,
): Promise<{ positions: Readonly<Record<string, number>>; origin?: string | undefined }> {
  age.loaded(0)
  const snapshot = await store.read()
  if (!snapshot) {
    log.info('there is no snapshot of what was learned: learning from what the streams have')
    // Its rebuild is taken over, so that an incomplete snapshot can be replaced.
    return { positions: {}, origin: (await store.readManifest()).manifest?.origin }
  }
  const loaded = await thread.ask({ type: 'load', chunks: snapshot.chunks })
  if (!loaded) {
    log.error(
      { snapshot: snapshot.manifest.id },
      'the snapshot of what was learned cannot be read: learning from the streams',
    )
    return { positions: {}, origin: snapshot.manifest.origin }
  }
  saver.noteSnapshot(loaded.at)
  age.loaded(loaded.at)
  log.info({ snapshot: snapshot.manifest.id, slots: loaded.slots }, 'loaded what was learned')
  return { positions: loaded.positions, origin: snapshot.manifest.origin }
}
