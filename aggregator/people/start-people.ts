import type { PersonJob } from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  type Publisher,
  pause,
  repeat,
} from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import type { Redis } from '../profiles/store/redis/open-redis.js'
import { clusterDdl } from '../warehouse/tables/cluster-ddl.js'
import { answerExports } from './answer-exports.js'
import { createJobStore, JobGone } from './job-store.js'
import { JobFailed, runJob } from './run-job.js'
import { watchJobs } from './watch-jobs.js'

/** Time between two looks for jobs, and before a step that failed is done again, in milliseconds. */
const LOOK_MS = 200
const RETRY_MS = 2_000

/** A job whose steps fail for so long, in milliseconds, has failed. */
const GIVE_UP_MS = 30 * 60_000

/** Deleting from large tables takes its time, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30 * 60_000

export interface PeopleDeps {
  nats: Nats
  publisher: Publisher
  installation: Installation
  /** A user who may write. */
  clickhouse: ClickHouseServer & { cluster?: string }
  metrics: Metrics
  log: Log
  /** The Redis that has the profiles. Absent: they are in NATS KV */
  redis?: Redis | undefined
  /** Returns whether this process holds the lease: one process at a time does the jobs. */
  holds: () => boolean
}

/** Does the deletions of people, one after the other, and answers exports. */
export async function startPeople(deps: PeopleDeps): Promise<{ stop(): Promise<void> }> {
  const { nats, installation, metrics, log, redis, holds } = deps
  const { cluster = '', ...server } = deps.clickhouse
  const clickhouse = openClickHouse(server, 'people', { timeoutMs: REQUEST_TIMEOUT_MS })
  const runningNow = metrics.gauge('people_jobs_running', 'Deletions of people that are not finished')
  const finished = metrics.counter('people_jobs_total', 'Deletions of people, by how they ended', ['result'])
  const failures = metrics.counter('people_job_failures_total', 'Failed attempts at a step, each followed by another')
  const store = createJobStore(installation.buckets.jobs, installation.privacy)
  const jobs = await watchJobs(nats, installation.buckets.jobs, log)
  const abort = new AbortController()
  const failingSince = new Map<string, number>()
  const failedAt = new Map<string, number>()
  const exports = answerExports({ nats, installation, server, log, redis })
  const working = repeat(look, LOOK_MS, abort.signal, error => log.error({ err: error }, 'looking for jobs failed'))

  async function look(): Promise<void> {
    const job = nextOf(jobs.running())
    runningNow.set(jobs.running().length)
    if (job && holds()) await attempt(job)
  }

  /**
   * Returns the oldest job. One that fails again and again takes turns with the others, so that it does not keep them
   * waiting.
   */
  function nextOf(running: PersonJob[]): PersonJob | undefined {
    const lastFailure = ({ jobId }: PersonJob) => failedAt.get(jobId) ?? 0
    return running.sort((a, b) => lastFailure(a) - lastFailure(b))[0]
  }

  async function attempt(job: PersonJob): Promise<void> {
    const { jobId, person } = job
    try {
      await runJob({ ...deps, clickhouse, ddl: clusterDdl(cluster), store, signal: abort.signal }, job)
      finished.inc({ result: 'done' })
      forget(jobId)
    } catch (error) {
      if (abort.signal.aborted || error instanceof JobGone) return
      failures.inc()
      const since = failingSince.get(jobId) ?? Date.now()
      failingSince.set(jobId, since)
      failedAt.set(jobId, Date.now())
      log.warn({ err: error, jobId, person }, 'a step of the deletion of a person failed')
      if (error instanceof JobFailed || Date.now() - since > GIVE_UP_MS) await giveUp(job, error)
      else await pause(RETRY_MS, abort.signal).catch(() => {})
    }
  }

  async function giveUp({ jobId, person }: PersonJob, error: unknown): Promise<void> {
    const reason = error instanceof JobFailed ? error.message : 'its steps failed for half an hour: see the log'
    await store
      .forgetPerson(jobId)
      .catch(failure => log.warn({ err: failure, jobId }, 'the ids of a job could not be deleted'))
    await store
      .update(jobId, () => ({ state: 'failed', error: reason, finishedAt: new Date().toISOString(), sealed: '' }))
      .catch(failure => log.warn({ err: failure, jobId }, 'the state of a job could not be stored'))
    finished.inc({ result: 'failed' })
    forget(jobId)
    log.error({ jobId, person, reason }, 'the deletion of a person failed')
  }

  function forget(jobId: string): void {
    failingSince.delete(jobId)
    failedAt.delete(jobId)
  }

  return {
    async stop() {
      abort.abort()
      jobs.stop()
      await exports.stop()
      await working
      await clickhouse.close()
    },
  }
}
