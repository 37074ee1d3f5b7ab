import { type DecidedPerson, type DecisionDefinitions, needsPerson } from '@slotstream/core'
import {
  type DecideRequest,
  type DecisionEnvelope,
  type EventEnvelope,
  joined,
  type Profile,
  streamSubject,
} from '@slotstream/protocol'
import { createSlices, type Log, type Publisher, within } from '@slotstream/runtime'
import { type Answer, type Asker, answering, noAnswer } from './answer.js'
import type { Catalog } from './catalog.js'
import type { Models } from './models.js'
import { previewOf } from './preview.js'
import { createTurns, type Turn } from './turns.js'

/** Time that recording may take even if less is left until the deadline, in milliseconds. */
const LEAST_RECORD_MS = 20

/** Time that recording may take if no answer waits for it, in milliseconds. */
const LATE_RECORD_MS = 2_000

/** Largest answer, in bytes of its JSON: the limit of NATS messages, less room for the rest of the reply. */
const MAX_ANSWER_BYTES = 900_000

/** Items up to which an answer cannot exceed `MAX_ANSWER_BYTES`: a payload has at most 64 KB. */
const SURELY_SMALL = 13

/** The profiles of this process's partitions, as decisions read them. */
export interface ProfileReader {
  /** Resolves to the profile of a visitor; undefined: the visitor is new. */
  profileOf(siteId: string, visitorId: string): Promise<Profile | undefined>
  /** Resolves to the person of a profile, with all browsers. */
  personOf(profile: Profile): Promise<DecidedPerson>
  /** Returns the definitions of a site. */
  definitionsOf(siteId: string): DecisionDefinitions
  /** Resolves to true once all messages up to a stream sequence are applied, to false after `deadlineMs`. */
  waitFor(partition: number, seq: number, deadlineMs: number): Promise<boolean>
  /** Returns the age of the profiles of a partition: how long messages may have been missing, in milliseconds. */
  ageMs(partition: number): number
  /** Tells whether this process holds the lease on the partition now. */
  holds(partition: number): boolean
}

/** Dependencies of decisions: what they read, and where they are recorded. */
export interface DeciderDeps {
  publisher: Pick<Publisher, 'publish'>
  profiles: ProfileReader
  catalog: Catalog
  models: Models
  log: Log
  /** Is called when decisions could not be recorded, and so are not served. */
  onUnrecorded: () => void
}

/**
 * Decides the slots of a request within its deadline. Resolves to undefined if another process now answers for the
 * partition.
 */
export type Decide = (request: DecideRequest, partition: number) => Promise<Answer | undefined>

/** Creates the function that decides, and returns decisions only after they are recorded. */
export function createDecider(deps: DeciderDeps): Decide {
  const { profiles, catalog, models, log } = deps
  const turns = createTurns()
  const pauseIfLong = createSlices()

  return async (request, partition) => {
    const started = performance.now()
    const left = () => started + request.deadlineMs - performance.now()
    const { siteId, visitorId } = request
    const preparing = catalog.prepare(siteId, request.slots)
    // Named content of a preview would have to be looked for in a slot that is not there yet.
    if (preparing && !(await within(left(), preparing))) return giveUp(deps, request, partition, {})
    const slots = request.slots.flatMap(({ id }) => catalog.waysOf(siteId, id))
    // A person is in an experiment with all browsers.
    const isInExperiment = slots.length > request.slots.length
    const needsAll = isInExperiment || needsPerson(slots)
    const hasCaps = slots.some(({ needs }) => needs.caps)
    let turn: Turn | undefined
    let servedSeq: number | undefined
    try {
      const asker = await findAsker()
      const decided = asker && (await decideInTime(asker))
      if (!profiles.holds(partition)) return undefined
      if (!decided) return giveUp(deps, request, partition)
      if (request.preview) return previewOf(decided, request, catalog)
      if (isTooLarge(decided)) {
        log.warn(
          { siteId, bytes: MAX_ANSWER_BYTES },
          'an answer is too large to be sent: ask for fewer items at a time',
        )
        return noAnswer(request, 'unavailable', catalog, Date.now())
      }
      const timeout = Math.max(LEAST_RECORD_MS, left())
      try {
        const recorded = record(deps, request, partition, decided, timeout)
        const [, seq] = await Promise.all([recorded, tell(deps, request, partition, decided, timeout)])
        servedSeq = seq
      } catch (error) {
        // The record may be stored all the same, then without an impression: better than showing what has no record.
        noteUnrecorded(deps, error)
        return noAnswer(request, 'unavailable', catalog, Date.now())
      }
      // Recorded and not shown, as above.
      return Date.now() < decided.goodUntil ? decided : noAnswer(request, 'unavailable', catalog, Date.now())
    } finally {
      turn?.end(servedSeq)
    }

    /** Decides slot by slot, with pauses for other work. Undefined: the deadline has passed */
    async function decideInTime(asker: Asker): Promise<Answer | undefined> {
      const steps = answering(request, asker, { catalog, models }, Date.now())
      for (;;) {
        const step = steps.next()
        if (step.done) return step.value
        await pauseIfLong()
        if (left() <= 0) return undefined
      }
    }

    /** Reads the person. Undefined: the owner of another browser does not answer in time */
    async function personOf(profile: Profile): Promise<DecidedPerson | undefined> {
      try {
        return (await within(left(), profiles.personOf(profile)))?.value
      } catch (error) {
        log.debug({ err: error }, 'a person could not be read')
        return undefined
      }
    }

    /**
     * Reads the facts about the visitor, once all messages that they must include are applied. Undefined: the deadline
     * has passed
     */
    async function findAsker() {
      if (!(await profiles.waitFor(partition, request.after, left()))) return undefined
      // Only now: a request with a position that never comes would block other requests of the visitor.
      if (hasCaps) turn = turns.take(joined([siteId, visitorId]))
      const before = turn ? await within(left(), turn.before) : { value: 0 }
      if (!before) return undefined
      if (before.value > request.after && !(await profiles.waitFor(partition, before.value, left()))) return undefined
      const read = await within(left(), profiles.profileOf(siteId, visitorId))
      if (!read) return undefined
      const profile = read.value
      const person = profile && needsAll ? await personOf(profile) : undefined
      // Conditions, caps and arms may depend on other browsers of the person; policies can do without them.
      const isNeeded = isInExperiment || slots.some(({ needs }) => needs.conditions || needs.caps || needs.stops)
      if (profile && isNeeded && !person) return undefined
      return {
        profile,
        person,
        definitions: profiles.definitionsOf(siteId),
        ageMs: profiles.ageMs(partition),
        latencyMs: Math.round((performance.now() - started) * 10) / 10,
      }
    }
  }
}

/**
 * Returns the answer after the deadline. Undefined: another process now answers
 *
 * @param preview what a preview shows all the same. Default: what the request names
 */
function giveUp(deps: DeciderDeps, request: DecideRequest, partition: number, preview = request.preview) {
  const { profiles, catalog } = deps
  if (!profiles.holds(partition)) return undefined
  const late = noAnswer(request, 'timeout', catalog, Date.now())
  if (request.preview) return previewOf(late, { ...request, preview }, catalog)
  // Nothing is shown, so the page need not wait until it is recorded.
  record(deps, request, partition, late, LATE_RECORD_MS).catch(error => noteUnrecorded(deps, error))
  return late
}

function noteUnrecorded({ onUnrecorded, log }: DeciderDeps, error: unknown): void {
  onUnrecorded()
  log.warn({ err: error }, 'decisions could not be recorded, and so were not served')
}

function isTooLarge({ decisions }: Answer): boolean {
  const items = decisions.reduce((sum, decision) => sum + decision.items.length, 0)
  return items > SURELY_SMALL && Buffer.byteLength(JSON.stringify(decisions)) > MAX_ANSWER_BYTES
}

type Streams = Pick<DeciderDeps, 'publisher'>

async function record(
  { publisher }: Streams,
  { siteId, visitorId }: DecideRequest,
  partition: number,
  { records }: Answer,
  timeout: number,
): Promise<void> {
  const receivedAt = new Date().toISOString()
  const envelope: DecisionEnvelope = { siteId, visitorId, receivedAt, decisions: records }
  const stored = await within(
    timeout,
    publisher.publish(streamSubject('decisions', partition), JSON.stringify(envelope), records[0]?.decisionId),
  )
  if (!stored) throw new Error(`JetStream did not acknowledge within ${Math.round(timeout)} ms`)
}

/**
 * Publishes what is shown to the stream of events, from which the visitor's profile keeps it. Resolves to the sequence
 * of that message; undefined: there was nothing to publish.
 */
async function tell(
  { publisher }: Streams,
  { siteId, visitorId }: DecideRequest,
  partition: number,
  { served }: Answer,
  timeout: number,
): Promise<number | undefined> {
  if (served.length === 0) return undefined
  const receivedAt = new Date().toISOString()
  const envelope: EventEnvelope = { siteId, visitorId, receivedAt, served, messages: [] }
  const subject = streamSubject('events', partition)
  const id = `served:${served[0]!.decisionId}`
  const stored = await within(timeout, publisher.publish(subject, JSON.stringify(envelope), id))
  if (!stored) throw new Error(`JetStream did not acknowledge within ${Math.round(timeout)} ms`)
  return stored.value.seq
}
