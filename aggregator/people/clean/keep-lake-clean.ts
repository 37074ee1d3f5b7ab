import type { ClickHouseClient } from '@clickhouse/client'
import type { PersonJob } from '@slotstream/protocol'
import { type Installation, type Log, repeat } from '@slotstream/runtime'
import { createJobStore, JobGone, reported } from '../job-store.js'
import type { Jobs } from '../watch-jobs.js'
import { cleanLake } from './clean-lake.js'

/** Time between two looks for jobs, and before one is tried again, in milliseconds. */
const LOOK_MS = 200
const RETRY_MS = 2_000

/** Does the part of deletions that only a process can do that sees the lake, once the rows of the person are gone. */
export function keepLakeClean({
  installation,
  clickhouse,
  dir,
  jobs,
  verify,
  log,
}: {
  installation: Installation
  clickhouse: ClickHouseClient
  dir: string
  jobs: Pick<Jobs, 'running'>
  /** Returns whether this process has the lease. Rejects when that cannot be known now. */
  verify: () => Promise<boolean>
  log: Log
}): { stop(): Promise<void> } {
  const store = createJobStore(installation.buckets.jobs, installation.privacy)
  const abort = new AbortController()
  const { signal } = abort
  const working = repeat(look, LOOK_MS, signal, error => log.error({ err: error }, 'looking for jobs failed'))

  async function look(): Promise<number> {
    const job = jobs.running().find(({ done }) => done.includes('tables') && !done.includes('lake'))
    return job ? attempt(job) : LOOK_MS
  }

  /** Resolves to how long to wait before the next look, in milliseconds. */
  async function attempt({ jobId, before }: PersonJob): Promise<number> {
    try {
      if (!(await verify())) return LOOK_MS
      const job = await store.read(jobId)
      const person = job?.state === 'running' ? await store.personOf(job) : undefined
      if (!person) return LOOK_MS
      await cleanLake({
        clickhouse,
        dir,
        whose: { person, before: Date.parse(before) },
        report: async (place, removed) => {
          await store.update(jobId, ({ report }) => ({ report: reported(report, place, removed) }))
        },
        mayKeep: verify,
        signal,
      })
      await store.update(jobId, ({ done }) => ({ done: [...done, 'lake'] }))
      return LOOK_MS
    } catch (error) {
      if (signal.aborted || error instanceof JobGone) return LOOK_MS
      log.warn({ err: error, jobId }, 'the lake could not be cleaned of a person, trying again')
      return RETRY_MS
    }
  }

  return {
    async stop() {
      abort.abort()
      await working
    },
  }
}
