import { profilesBucket } from '@slotstream/protocol'
import { type Installation, type Log, type Metrics, type Nats, pause } from '@slotstream/runtime'
import type { ProfileSet } from './profile-set.js'

/** Requests that wait in the old generation are answered by it, in milliseconds. */
const LAST_ANSWERS_MS = 2_000

/** Time between two looks at whether the next generation is up to date, in milliseconds. */
const LOOK_MS = 50

/**
 * The sets of profiles of this process: the current generation's and, while a rebuild switches to another one, the next
 * generation's beside it.
 */
export interface ProfileGenerations {
  /** The set that answers, and its generation. */
  readonly current: ProfileSet
  readonly generation: number
  /** Returns the current set, and the next one where there is one. */
  all(): ProfileSet[]
  /**
   * Switches to another generation, when its profiles are up to date and switches before it are done. A generation that
   * cannot be loaded rejects unhandled, which ends the process: its supervisor starts it again, in that generation.
   */
  switchTo(generation: number): void
  /** Ends switching. The sets stay as they are. */
  endSwitching(): Promise<void>
  /** Releases all partitions, and ends. */
  stop(): Promise<void>
}

export interface ProfileGenerationsDeps {
  nats: Nats
  installation: Installation
  metrics: Metrics
  log: Log
  /** Creates the set of a generation, see `ProfileSetDeps` for `onServing`. */
  createSet: (installation: Installation, onServing: (partition: number) => void) => ProfileSet
  /** Returns the partitions that this process holds. */
  heldPartitions: () => number[]
  /** Called when the current set can answer for a partition. */
  onServing: (partition: number) => void
  /** Called when another generation answers. */
  onSwitched: () => void
}

/** Creates the set of the generation that is in effect. */
export function createProfileGenerations(deps: ProfileGenerationsDeps): ProfileGenerations {
  const { nats, installation, metrics, log, createSet, heldPartitions, onServing, onSwitched } = deps
  const gauge = metrics.gauge('profiles_generation', 'Generation of the profiles: one more with each rebuild')
  let current = setOf(installation)
  let currentGeneration = installation.generation
  let next: ProfileSet | undefined
  let isStopped = false
  let switching = Promise.resolve()
  gauge.set(installation.generation)

  function setOf(generation: Installation): ProfileSet {
    const profileSet: ProfileSet = createSet(generation, partition => {
      if (profileSet === current) onServing(partition)
    })
    return profileSet
  }

  async function changeTo(generation: number): Promise<void> {
    if (isStopped) return
    const profiles = await nats.kvm.open(profilesBucket(generation))
    next = setOf({ ...installation, generation, buckets: { ...installation.buckets, profiles } })
    for (const partition of heldPartitions()) next.start(partition)
    while (!isStopped && !isUpToDate(next)) await pause(LOOK_MS)
    if (isStopped) return
    const former = current
    current = next
    next = undefined
    currentGeneration = generation
    gauge.set(generation)
    onSwitched()
    for (let partition = 0; partition < installation.partitions; partition++)
      if (current.partition(partition)) onServing(partition)
    log.info({ generation }, 'the profiles of another generation are in effect')
    await pause(LAST_ANSWERS_MS)
    await former.stop()
  }

  const all = () => (next ? [current, next] : [current])

  return {
    get current() {
      return current
    },
    get generation() {
      return currentGeneration
    },
    all,
    switchTo(generation) {
      switching = switching
        .then(() => changeTo(generation))
        .catch(error => {
          if (!isStopped) throw new Error(`generation ${generation} of the profiles cannot be loaded`, { cause: error })
        })
    },
    endSwitching() {
      isStopped = true
      return switching
    },
    async stop() {
      await Promise.all(all().map(profileSet => profileSet.stop()))
    },
  }
}

function isUpToDate(profileSet: ProfileSet): boolean {
  const { messages, partitions } = profileSet.missing()
  return messages === 0 && partitions === 0
}
