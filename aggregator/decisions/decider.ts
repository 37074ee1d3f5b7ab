import { type DecideRequest, type DecisionEnvelope, type Profile, streamSubject, uuidv7 } from '@slotstream/protocol'
import { type Log, type Publisher, within } from '@slotstream/runtime'
import { type Answer, answer, noAnswer } from './answer.js'
import type { Catalog } from './catalog.js'

/** Time that recording may take even when less of the deadline is left, in milliseconds. */
const LEAST_RECORD_MS = 20

/** Time that recording may take when no answer waits for it, in milliseconds. */
const LATE_RECORD_MS = 2_000

/** The profiles of this process's partitions, as decisions read them. */
export interface ProfileReader {
  profileOf(siteId: string, visitorId: string): Promise<Profile | undefined>
  /** Resolves to whether everything up to a stream sequence is applied within `deadlineMs` milliseconds. */
  waitFor(partition: number, seq: number, deadlineMs: number): Promise<boolean>
  /** Returns for how long profiles of a partition may have lacked messages, in milliseconds. */
  ageMs(partition: number): number
  /** Whether this process holds the partition at this moment. */
  holds(partition: number): boolean
}

/** Sources of a decision, and the stream that it is recorded in. */
export interface DeciderDeps {
  publisher: Pick<Publisher, 'publish'>
  profiles: ProfileReader
  catalog: Catalog
  log: Log
  /** Called when decisions could not be recorded, and so are not served. */
  onUnrecorded: () => void
}

/** Decides what a request asks for within its deadline. Undefined when another process answers for the partition now. */
export type Decide = (request: DecideRequest, partition: number) => Promise<Answer | undefined>

/** Creates the function that decides, and records what it decided before it returns it. */
export function createDecider({ publisher, profiles, catalog, log, onUnrecorded }: DeciderDeps): Decide {
  async function record(request: DecideRequest, partition: number, { records }: Answer, timeout: number) {
    const { siteId, visitorId } = request
    const receivedAt = new Date().toISOString()
    const envelope: DecisionEnvelope = { siteId, visitorId, receivedAt, decisions: records }
    const stored = await within(
      timeout,
      publisher.publish(streamSubject('decisions', partition), JSON.stringify(envelope), records[0]?.decisionId),
    )
    if (!stored) throw new Error(`JetStream did not acknowledge within ${Math.round(timeout)} ms`)
  }

  function noteUnrecorded(error: unknown): void {
    onUnrecorded()
    log.warn({ err: error }, 'decisions could not be recorded, and so were not served')
  }

  return async (request, partition) => {
    const deadline = performance.now() + request.deadlineMs
    const left = () => deadline - performance.now()
    const inTime = await profiles.waitFor(partition, request.after, left())
    const profile = inTime && (await within(left(), profiles.profileOf(request.siteId, request.visitorId)))
    if (!profiles.holds(partition)) return undefined
    if (!profile) {
      const late = noAnswer(request, 'timeout', catalog, Date.now())
      // Nothing is shown, so the page needn't wait until it is recorded.
      record(request, partition, late, LATE_RECORD_MS).catch(noteUnrecorded)
      return late
    }
    const decided = answer(request, profile.value, catalog, Date.now(), uuidv7, profiles.ageMs(partition))
    try {
      await record(request, partition, decided, Math.max(LEAST_RECORD_MS, left()))
      return decided
    } catch (error) {
      // It may be stored all the same. Then the record says what would have been shown, and no impression follows:
      // better than showing what has no record.
      noteUnrecorded(error)
      return noAnswer(request, 'unavailable', catalog, Date.now())
    }
  }
}
