import type { KV } from '@nats-io/kv'
import { type IdKind, type Person, type PersonJob, uuidv7 } from '@slotstream/protocol'
import { bucketKeys, type Privacy } from '@slotstream/runtime'

/** Characters of encrypted ids in one entry: an entry is smaller than the largest message that NATS takes, 1 MB. */
const SLICE_LENGTH = 500_000

/** Part of a job that is stored encrypted: the person asked for, and where all ids are once they are found. */
export interface Sealed {
  id: string
  as?: IdKind
  found?: PersonLocation
}

/** The location of a person's ids: a person can have more browsers than one entry holds. */
interface PersonLocation {
  /** Prefix of the keys of its entries. */
  name: string
  slices: number
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
  /** Decrypts the person that was asked for. */
  sealedOf(job: PersonJob): Sealed
  /** Keeps the ids that were found, encrypted. @throws JobGone when it is no longer running */
  keepPerson(jobId: string, person: Person): Promise<void>
  /** Reads the ids that were found; undefined before that. @throws when not all of them can be read */
  personOf(job: PersonJob): Promise<Person | undefined>
  /** Deletes the ids that were found. */
  forgetPerson(jobId: string): Promise<void>
}

/** Creates the store over the bucket `jobs`. */
export function createJobStore(bucket: KV, privacy: Privacy): JobStore {
  async function entryOf(jobId: string) {
    const entry = await bucket.get(jobId)
    return entry?.operation === 'PUT' ? { job: entry.json<PersonJob>(), revision: entry.revision } : undefined
  }

  const sealedOf = ({ sealed = '' }: PersonJob) => JSON.parse(privacy.unseal(sealed)) as Sealed

  async function update(jobId: string, change: (job: PersonJob) => Partial<PersonJob>): Promise<PersonJob> {
    for (;;) {
      const current = await entryOf(jobId)
      if (current?.job.state !== 'running') throw new JobGone(`the job ${jobId} is not running`)
      const { sealed, ...changed } = { ...current.job, ...change(current.job) }
      const next: PersonJob = { ...changed, ...(sealed && { sealed }) }
      try {
        await bucket.put(jobId, JSON.stringify(next), { previousSeq: current.revision })
        return next
      } catch (error) {
        if ((await entryOf(jobId))?.revision === current.revision) throw error
      }
    }
  }

  return {
    read: async jobId => (await entryOf(jobId))?.job,
    update,
    sealedOf,
    async keepPerson(jobId, person) {
      const sealed = privacy.seal(JSON.stringify(person))
      // A name of its own: an attempt that was cut short may still be writing.
      const location: PersonLocation = { name: `${jobId}.${uuidv7()}`, slices: Math.ceil(sealed.length / SLICE_LENGTH) }
      for (let slice = 0; slice < location.slices; slice++)
        await bucket.put(keyOf(location, slice), sealed.slice(slice * SLICE_LENGTH, (slice + 1) * SLICE_LENGTH))
      await update(jobId, job => {
        const { id, as } = sealedOf(job)
        return { sealed: privacy.seal(JSON.stringify({ id, as, found: location } satisfies Sealed)) }
      })
    },
    async personOf(job) {
      const { found: location } = sealedOf(job)
      if (!location) return undefined
      let sealed = ''
      for (let slice = 0; slice < location.slices; slice++) {
        const entry = await bucket.get(keyOf(location, slice))
        if (entry?.operation !== 'PUT') throw new Error(`ids of the job ${job.jobId} are missing`)
        sealed += entry.string()
      }
      return JSON.parse(privacy.unseal(sealed)) as Person
    },
    async forgetPerson(jobId) {
      for (const key of await bucketKeys(bucket, `${jobId}.>`)) await bucket.purge(key)
    },
  }
}

function keyOf({ name }: PersonLocation, slice: number): string {
  return `${name}.${slice}`
}

/** Returns the report with more removed from a place. Pure. */
export function reported(report: PersonJob['report'], place: string, removed: number): PersonJob['report'] {
  return { ...report, [place]: (report[place] ?? 0) + removed }
}
