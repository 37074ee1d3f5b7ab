import type { Log } from '@slotstream/runtime'
import type { PublishRefused } from '../publish-refused.js'
import type { PublishSignals } from '../signals/publish-signals.js'
import { forEachAtOnce } from '../store/for-each-at-once.js'
import type { Checkpoint, ProfileStore } from '../store/profile-store.js'
import { StoreConflict } from '../store/store-conflict.js'
import type { Findings } from './applier.js'
import type { ProfileCache } from './profile-cache.js'
import type { Progress } from './progress.js'

/** Writes to the store under way at once. More only queue up in the server, before what a visitor waits for. */
const WRITES_AT_ONCE = 16

/** What is stored of a partition. */
export interface Storable {
  readonly index: number
  readonly partition: ProfileCache
  readonly progress: Pick<Progress, 'through'>
  /** Signals and refusals that aren't in their streams yet, in the order of their messages. A pass takes out what it published. */
  readonly detected: Findings[]
  /** As the store has it, as far as is known here. */
  checkpoint: Checkpoint
}

/**
 * Makes the function that stores what has changed in some partitions: first the signals that were detected and the traits
 * that were refused, then, where all of them are published, the profiles, then, where all of them are stored, the checkpoint as of when the
 * pass began. A message that counts in a stored profile isn't looked at again, so its signals have to be safe before.
 * What fails stays to be stored by the next pass. Resolves to whether all went well. Passes over the same partition must not overlap.
 *
 * No state of a profile is ever written over one that is further on, whoever stored it. So whatever an owner says that
 * doesn't know yet that it is none, every checkpoint ever written stays true, and clocks decide nothing here.
 *
 * @param onStale told of a partition some of whose profiles were made of states that were out of date when they were
 *   read, as from a replica that lags behind: it is to be begun anew
 */
export function createWriteBehind(
  store: Pick<ProfileStore, 'write' | 'readCheckpoint' | 'writeCheckpoint'>,
  publish: { signals: PublishSignals; refused: PublishRefused },
  log: Log,
  onStale: (partition: Storable) => void,
): (partitions: Iterable<Storable>) => Promise<boolean> {
  return async partitions => {
    const moved = new Map<Storable, number>()
    const changed: { of: Storable; entry: ReturnType<ProfileCache['unstored']>[number] }[] = []
    const detected: { of: Storable; findings: Findings }[] = []
    for (const of of partitions) {
      const { through } = of.progress
      for (const findings of of.detected) detected.push({ of, findings })
      for (const entry of of.partition.unstored()) changed.push({ of, entry })
      if (through > of.checkpoint.seq) moved.set(of, through)
    }
    const failures: unknown[] = []
    const held = await publishAll(detected, failures)
    for (const of of held) moved.delete(of)
    const attempt = async (of: Storable, write: () => Promise<void>, resolve: () => Promise<void>) => {
      try {
        await write()
      } catch (error) {
        failures.push(error)
        moved.delete(of)
        if (error instanceof StoreConflict) await resolve().catch(failure => failures.push(failure))
      }
    }

    const storable = changed.filter(({ of }) => !held.has(of))
    await forEachAtOnce(WRITES_AT_ONCE, storable, ({ of, entry: { profile, revision } }) =>
      attempt(
        of,
        async () => {
          of.partition.markSent(profile)
          of.partition.markStored(profile, await store.write(profile, revision))
        },
        async () => {
          if (!(await of.partition.reconcile(profile))) onStale(of)
        },
      ),
    )
    await forEachAtOnce(WRITES_AT_ONCE, [...moved], ([of, seq]) =>
      attempt(
        of,
        async () => {
          of.checkpoint = { seq, revision: await store.writeCheckpoint(of.index, seq, of.checkpoint.revision) }
        },
        async () => {
          of.checkpoint = await store.readCheckpoint(of.index)
        },
      ),
    )
    if (failures.length > 0)
      log.warn({ err: failures[0], failures: failures.length }, 'storing profiles failed, trying again')
    return failures.length === 0
  }

  /** Publishes what was detected and takes it out of its partition. Returns the partitions that have some left. */
  async function publishAll(all: { of: Storable; findings: Findings }[], failures: unknown[]): Promise<Set<Storable>> {
    const published = new Set<Findings>()
    const held = new Set<Storable>()
    await forEachAtOnce(WRITES_AT_ONCE, all, async ({ of, findings }) => {
      try {
        if (findings.signals) await publish.signals(of.index, findings.signals)
        if (findings.refused) await publish.refused(of.index, findings.refused)
        published.add(findings)
      } catch (error) {
        failures.push(error)
        held.add(of)
      }
    })
    for (const { detected } of new Set(all.map(({ of }) => of)))
      detected.splice(0, detected.length, ...detected.filter(findings => !published.has(findings)))
    return held
  }
}
