import type { ClickHouseClient } from '@clickhouse/client'
import { JOB_STEPS, type JobStep, type PersonJob } from '@slotstream/protocol'
import { type Installation, type Log, type Nats, type Publisher, pause, writeTombstones } from '@slotstream/runtime'
import type { Redis } from '../profiles/store/redis/open-redis.js'
import { cleanProfiles } from './clean/clean-profiles.js'
import { cleanStreams } from './clean/clean-streams.js'
import { cleanTables, inserted, tablesBeside } from './clean/clean-tables.js'
import { unlearn } from './clean/unlearn.js'
import { findPerson } from './find/find-person.js'
import { JobGone, type JobStore, reported } from './job-store.js'

/** Time for all processes to hear of a deletion, in milliseconds: they check what they take in later. */
const SETTLE_MS = 1_000

/** Pause between two looks at whether anything is left, in milliseconds, and how many there are at most. */
const CHECK_MS = 500
const CHECKS = 20

/** Time that the lake may wait for a process that keeps it, in milliseconds. */
const LAKE_MS = 30 * 60_000

export interface RunJobDeps {
  nats: Nats
  publisher: Pick<Publisher, 'publish'>
  installation: Installation
  clickhouse: ClickHouseClient
  /** Rewrites a statement for a cluster. */
  ddl: (sql: string) => string
  store: JobStore
  log: Log
  /** The Redis that has the profiles. Absent: they are in NATS KV */
  redis?: Redis | undefined
  /** Ends it at once: it throws, and the job goes on elsewhere. */
  signal: AbortSignal
}

/** A job that no further attempt can finish. The message says what to do. */
export class JobFailed extends Error {
  override name = 'JobFailed'
  readonly code = 'job_failed'
}

/**
 * Does what is left of a deletion, step by step. Each step may be done again, so a job that was cut short goes on with
 * the step that it was at. What policies have learned is taken away before the messages that they learned from.
 * Messages are removed before rows: those still in a stream are no longer loaded.
 *
 * @throws what a step throws: do it again
 */
export async function runJob(deps: RunJobDeps, job: PersonJob): Promise<void> {
  const { store, log, signal } = deps
  let current = job
  for (const step of JOB_STEPS) {
    signal.throwIfAborted()
    if (current.done.includes(step)) continue
    await store.update(job.jobId, () => ({ step }))
    await STEPS[step](deps, current)
    current = await store.update(job.jobId, ({ done }) => ({
      done: [...new Set([...done, step])],
      progress: (JOB_STEPS.indexOf(step) + 1) / (JOB_STEPS.length + 1),
    }))
  }
  const otherTables = await tablesBeside(deps.clickhouse)
  await store.forgetPerson(job.jobId)
  const { report } = await store.update(job.jobId, () => ({
    ...(otherTables.length > 0 && { otherTables }),
    state: 'done',
    progress: 1,
    step: 'done',
    finishedAt: new Date().toISOString(),
    sealed: '',
  }))
  log.info({ jobId: job.jobId, siteId: job.siteId, person: job.person, report }, 'a person was deleted')
}

const STEPS: Record<JobStep, (deps: RunJobDeps, job: PersonJob) => Promise<void>> = {
  async find(deps, job) {
    const { installation, store } = deps
    const { buckets, privacy } = installation
    const sealed = store.sealedOf(job)
    const person = await findPerson(deps, job.siteId, sealed)
    await writeTombstones(buckets.tombstones, privacy.keyed, person, Date.parse(job.before))
    await store.keepPerson(job.jobId, person)
    await pause(SETTLE_MS)
  },
  async streams(deps, job) {
    await streams(deps, job)
  },
  async profiles(deps, job) {
    await profiles(deps, job)
  },
  async tables(deps, job) {
    await inserted(deps.installation, deps.signal)
    await tables(deps, job)
  },
  lake,
  async check(deps, job) {
    for (let look = 0; look < CHECKS; look++) {
      await pause(CHECK_MS)
      const remaining = (await streams(deps, job)) + (await profiles(deps, job)) + (await tables(deps, job))
      if (remaining === 0) return
    }
    throw new Error('there is still more of the person each time it is looked')
  },
}

async function whoseOf({ store }: RunJobDeps, { jobId }: PersonJob) {
  const job = await store.read(jobId)
  const person = job?.state === 'running' ? await store.personOf(job) : undefined
  if (!job || !person) throw new JobGone(`the job ${jobId} is not running, or has no person`)
  return { person, before: Date.parse(job.before) }
}

function reporter({ store }: RunJobDeps, { jobId }: PersonJob) {
  return async (place: string, removed: number) => {
    if (removed > 0) await store.update(jobId, ({ report }) => ({ report: reported(report, place, removed) }))
  }
}

async function streams(deps: RunJobDeps, job: PersonJob): Promise<number> {
  const whose = await whoseOf(deps, job)
  await unlearn({ ...deps, whose })
  return cleanStreams({ ...deps, whose, report: reporter(deps, job) })
}

async function profiles(deps: RunJobDeps, job: PersonJob): Promise<number> {
  const removed = await cleanProfiles({ ...deps, whose: await whoseOf(deps, job) })
  await reporter(deps, job)('bucket profiles', removed)
  return removed
}

async function tables(deps: RunJobDeps, job: PersonJob): Promise<number> {
  return cleanTables(deps.clickhouse, await whoseOf(deps, job), deps.ddl, reporter(deps, job))
}

/** Waits until a process that sees the lake has cleaned it, if there is one. */
async function lake({ installation, store, signal }: RunJobDeps, { jobId }: PersonJob): Promise<void> {
  if (!(await installation.buckets.meta.get('lake'))) return
  const until = Date.now() + LAKE_MS
  for (;;) {
    signal.throwIfAborted()
    if ((await store.read(jobId))?.done.includes('lake')) return
    if (Date.now() > until)
      throw new JobFailed(
        'the lake was not cleaned: no aggregator with the role batch and LAKE_DIR did it. Start one, and delete the person again',
      )
    await pause(CHECK_MS)
  }
}
