import type { KV } from '@nats-io/kv'
import type { PersonJob } from '@slotstream/protocol'
import { type Log, type Nats, watchBucket } from '@slotstream/runtime'

/** The deletions that are running, kept up to date from their bucket. */
export interface Jobs {
  /** Returns the running jobs, oldest first. */
  running(): PersonJob[]
  /**
   * Returns a number that is the same as long as no deletion begins, goes on or ends; undefined while one is running.
   * Asks NATS, so that no news is missed.
   */
  quiet(): Promise<number | undefined>
  stop(): void
}

/** Follows the jobs. Resolves when those that there are now are known. */
export async function watchJobs(nats: Nats, bucket: KV, log: Log): Promise<Jobs> {
  const running = new Map<string, PersonJob>()
  let revision = 0
  const watching = await watchBucket(
    nats,
    bucket,
    entry => {
      revision = Math.max(revision, entry.revision)
      const job = entry.operation === 'PUT' ? parseJob(entry.value) : undefined
      if (job?.state === 'running') running.set(entry.key, job)
      else running.delete(entry.key)
    },
    log,
  )
  return {
    running: () => [...running.values()].sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1)),
    async quiet() {
      const { last_seq, messages } = (await bucket.status()).streamInfo.state
      return running.size === 0 && (messages === 0 || revision >= last_seq) ? last_seq : undefined
    },
    stop: () => watching.stop(),
  }
}

function parseJob(value: Uint8Array): PersonJob | undefined {
  try {
    const job = JSON.parse(new TextDecoder().decode(value)) as Partial<PersonJob>
    const { jobId, siteId, state, done, sealed, createdAt } = job
    const isWhole = [jobId, siteId, state, sealed ?? '', createdAt].every(text => typeof text === 'string')
    return isWhole && Array.isArray(done) ? (job as PersonJob) : undefined
  } catch {
    return undefined
  }
}
