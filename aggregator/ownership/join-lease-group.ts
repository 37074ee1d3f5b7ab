import { type Installation, type Log, type Metrics, type Nats, pause, within } from '@slotstream/runtime'
import { createLeaseStore } from './lease-store.js'
import { createOwnership, type Ownership, type OwnershipDeps } from './ownership.js'

/** Time between two renewals, and between two looks at who holds what, in milliseconds. */
const EVERY_MS = 500

/**
 * Work under way may take this long before the next owner gets it, in milliseconds: work that waits for ever, say
 * for a connection that is gone, would keep all members from it.
 */
const RELEASE_MS = 3_000

/** Wait for further changes before acting on one, in milliseconds. */
const SETTLE_MS = 10

/** Identity of this process among those that share the work. */
export interface Identity {
  id: string
  name: string
}

/** The process that joins, and what it does when it gains, releases or loses a resource. */
export interface LeaseGroupDeps extends Pick<OwnershipDeps, 'resources' | 'onGain' | 'onRelease' | 'onLose'> {
  nats: Nats
  installation: Installation
  metrics: Metrics
  log: Log
  identity: Identity
  /** Members of one group share its resources. */
  group: string
}

/** A member of a group that shares resources: it renews its entry and rebalances until it is stopped. */
export interface LeaseGroup extends Pick<Ownership, 'holds' | 'verify' | 'unowned'> {
  /** Releases everything, removes the member's entry, and ends. */
  stop(): Promise<void>
}

/**
 * Joins a group. From then on `onGain`, `onRelease` and `onLose` say what this process has to do. A process whose
 * place was taken by a later start of its name fails.
 */
export async function joinLeaseGroup(deps: LeaseGroupDeps): Promise<LeaseGroup> {
  const { nats, installation, metrics, log, identity, group, resources } = deps
  const heldNow = metrics.gauge('ownership_held', 'Partitions or streams that this process holds', ['group'])
  const unownedNow = metrics.gauge('ownership_unowned', 'Partitions or streams that no process holds', ['group'])
  const membersNow = metrics.gauge('ownership_members', 'Processes that share the work', ['group'])
  const changes = metrics.counter('ownership_changes_total', 'Partitions or streams that moved', ['group', 'change'])
  const store = createLeaseStore(nats, installation.buckets.leases, group, log)
  const ending = new AbortController()
  const { signal } = ending
  let wake = () => {}

  const pauseUnlessEnding = (ms: number) => pause(ms, signal).catch(() => {})

  const ownership = createOwnership({
    ...identity,
    resources,
    store,
    now: () => performance.now(),
    onGain(gained) {
      changes.inc({ group, change: 'gained' }, gained.length)
      log.info({ group, gained: gained.length, members: ownership.live().size }, 'holds more')
      deps.onGain(gained)
    },
    async onRelease(resource) {
      changes.inc({ group, change: 'released' })
      if (!(await within(RELEASE_MS, deps.onRelease(resource))))
        log.warn({ group, resource }, 'gave up work that could not be finished: the next owner does it')
    },
    onLose(resource) {
      changes.inc({ group, change: 'lost' })
      log.warn({ group, resource }, 'another process holds it now')
      deps.onLose(resource)
    },
  })

  const watch = await store.watch(change => {
    ownership.observe(change)
    wake()
  })
  await ownership.beat()
  const beating = keepBeating()
  const balancing = keepBalancing()

  async function keepBeating(): Promise<void> {
    while (!signal.aborted) {
      await pauseUnlessEnding(EVERY_MS)
      if (!signal.aborted) await ownership.beat()
      if (ownership.isDeaf()) {
        log.warn({ group }, 'no changes of leases arrive, watching them again')
        watch.renew()
      }
      if (ownership.replaced)
        throw new Error(
          `another process named ${identity.name} has taken this one's place: two at once need an AGGREGATOR_NAME each`,
        )
    }
  }

  async function keepBalancing(): Promise<void> {
    while (!signal.aborted) {
      const changed = new Promise<void>(resolve => {
        wake = resolve
      })
      await ownership.rebalance()
      const unowned = ownership.unowned().length
      heldNow.set({ group }, resources.filter(ownership.holds).length)
      unownedNow.set({ group }, unowned)
      membersNow.set({ group }, ownership.live().size)
      await Promise.race([changed, pauseUnlessEnding(EVERY_MS)])
      await pauseUnlessEnding(SETTLE_MS)
    }
  }

  return {
    holds: ownership.holds,
    verify: ownership.verify,
    unowned: ownership.unowned,
    async stop() {
      ending.abort()
      await balancing
      await ownership.leave()
      await beating
      watch.stop()
    },
  }
}
