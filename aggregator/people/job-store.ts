import type { KV } from '@nats-io/kv'
import type { IdKind, Person, PersonJob } from '@slotstream/protocol'
import type { Privacy } from '@slotstream/runtime'

/** What a job keeps encrypted: who was asked for, and all ids once they are found. */
export interface Sealed {
  id: string
  as?: IdKind
  person?: Person
}

/** The job is over, or was deleted. */
export class JobGone extends Error {
  override name = 'JobGone'
  readonly code = 'job_gone'
}

/** The deletions of people, in the bucket `jobs`. */
export interface JobStore {
  read(jobId: string): Promise<PersonJob | undefined>
  /**
   * Changes a job that is running, on top of what others changed meanwhile.
   *
   * @throws JobGone when it is no longer running
   */
  update(jobId: string, change: (job: PersonJob) => Partial<PersonJob>): Promise<PersonJob>
  sealedOf(job: PersonJob): Sealed
  seal(sealed: Sealed): string
}

export function createJobStore(bucket: KV, privacy: Privacy): JobStore {
  async function entryOf(jobId: string) {
    const entry = await bucket.get(jobId)
    return entry?.operation === 'PUT' ? { job: entry.json<PersonJob>(), revision: entry.revision } : undefined
  }

  return {
    read: async jobId => (await entryOf(jobId))?.job,
    async update(jobId, change) {
      for (;;) {
        const known = await entryOf(jobId)
        if (known?.job.state !== 'running') throw new JobGone(`the job ${jobId} is not running`)
        const { sealed, ...changed } = { ...known.job, ...change(known.job) }
        const next: PersonJob = { ...changed, ...(sealed && { sealed }) }
        try {
          await bucket.put(jobId, JSON.stringify(next), { previousSeq: known.revision })
          return next
        } catch (error) {
          if ((await entryOf(jobId))?.revision === known.revision) throw error
        }
      }
    },
    sealedOf: ({ sealed = '' }) => JSON.parse(privacy.unseal(sealed)) as Sealed,
    seal: sealed => privacy.seal(JSON.stringify(sealed)),
  }
}

/** The report with more removed from a place. Pure. */
export function reported(report: PersonJob['report'], place: string, removed: number): PersonJob['report'] {
  return { ...report, [place]: (report[place] ?? 0) + removed }
}
