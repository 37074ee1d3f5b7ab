import type { ClickHouseClient } from '@clickhouse/client'
import {
  belongsTo,
  type ContentAmounts,
  contentsRecordId,
  isoTime,
  type LearningEnvelope,
  type LearningRecord,
  learningRecordId,
  parseLearningEnvelope,
  parseStored,
  streamSubject,
} from '@slotstream/protocol'
import { type Installation, type Log, type Nats, type Publisher, readWhole } from '@slotstream/runtime'
import { forEachAtOnce } from '../../profiles/store/for-each-at-once.js'
import { mayName } from '../find/matches-text.js'
import { PLACES } from '../find/places.js'
import { untilLearned } from './learned-positions.js'
import { findRows } from './rows.js'
import type { Whose } from './strip.js'

/** Steps that are published together, and how many at a time. */
const WAVE = 1_000
const AT_ONCE = 32

/** Ids in records of which nothing may say whose they were. */
const REMOVED = 'removed'

export interface UnlearnDeps {
  nats: Nats
  publisher: Pick<Publisher, 'publish'>
  installation: Installation
  clickhouse: ClickHouseClient
  log: Log
  whose: Whose
  /** Ends it; it throws. */
  signal: AbortSignal
}

/** A step in what came of a person's decision, and its place. */
interface Step {
  partition: number
  recordId: string
  /** Position of its message. */
  position: number
  /** Time when its message was received, in milliseconds since the epoch. */
  receivedAt: number
  /** The step; undefined where it is what the message added to the features of content. */
  record?: LearningRecord
  contents?: ContentAmounts[]
}

/**
 * Takes away what policies have learned of a person: each step, by a removal that has an id of its own, which is the
 * same whenever it is published. So a deletion that is begun again takes nothing away twice. Resolves when the stored
 * models are without the person: only then may the steps themselves leave the stream, because a model that is made
 * again from an older state needs them.
 *
 * @throws when the models are not stored without the person in time: do it again
 */
export async function unlearn(deps: UnlearnDeps): Promise<void> {
  let wave: Step[] = []
  let isAny = false

  async function publish(): Promise<void> {
    isAny ||= wave.length > 0
    await forEachAtOnce(AT_ONCE, wave, step => publishRemoval(deps, step))
    wave = []
  }

  for (const steps of [stepsOfTable(deps), stepsOfStreams(deps)])
    for await (const step of steps) {
      deps.signal.throwIfAborted()
      if (wave.push(step) >= WAVE) await publish()
    }
  await publish()
  if (isAny) await untilLearned(deps.nats, deps.installation, deps.signal)
}

async function publishRemoval({ publisher, whose }: UnlearnDeps, step: Step): Promise<void> {
  const { partition, recordId, position, receivedAt, record, contents } = step
  const removal = `${recordId}@${receivedAt}`
  const envelope: LearningEnvelope = {
    siteId: whose.person.siteId,
    ...{ visitorId: REMOVED, anonymousId: '', receivedAt: isoTime(Date.now()), seq: 0, stored: 0, removal },
    removes: position,
    records: record ? [{ ...record, decisionId: REMOVED }] : [],
    ...(contents && { contents }),
  }
  await publisher.publish(streamSubject('learning', partition), JSON.stringify(envelope), `removal:${removal}`)
}

/** Reads the person's steps that ClickHouse has. */
async function* stepsOfTable({ clickhouse, whose, signal }: UnlearnDeps): AsyncGenerator<Step> {
  const columns =
    'record_id, stream_seq, decision_id, slot_id, content_id, position, toUnixTimestamp64Milli(decided_at) AS at, ' +
    'reward, previous, stratum, previous_stratum, segments, features, toUnixTimestamp64Milli(received_at) AS received'
  const table = PLACES.tables.learning_outcomes!
  for await (const { row } of findRows(clickhouse, table, 'slotstream.learning_outcomes', whose, columns, signal)) {
    const recordId = String(row.record_id)
    yield {
      partition: Number(recordId.split('.')[0]),
      recordId,
      position: Number(row.stream_seq),
      receivedAt: Number(row.received),
      record: recordOf(row),
    }
  }
}

function recordOf(row: Record<string, unknown>): LearningRecord {
  const segments = row.segments as string[]
  const features = (row.features as (number | string)[]).map(Number)
  return {
    decisionId: String(row.decision_id),
    slotId: String(row.slot_id),
    contentId: String(row.content_id),
    position: Number(row.position),
    at: Number(row.at),
    reward: Number(row.reward),
    ...(row.previous !== null && { previous: Number(row.previous) }),
    ...(row.stratum !== 0 && { stratum: Number(row.stratum) }),
    ...(row.previous_stratum !== 0 && { previousStratum: Number(row.previous_stratum) }),
    ...(segments.length > 0 && { segments }),
    ...(features.length > 0 && { features }),
  }
}

/** Reads the person's steps that the streams have: some may not be in ClickHouse yet, and are no longer loaded. */
async function* stepsOfStreams({ nats, installation, log, whose }: UnlearnDeps): AsyncGenerator<Step> {
  const may = mayName(whose.person)
  for (const { name, base } of [...installation.past.learning, ...installation.streams.learning])
    for await (const message of readWhole(nats, name, log)) {
      if (!may(message.string())) continue
      const parsed = parseStored(message.data, parseLearningEnvelope)
      if (!parsed.ok || parsed.value.removal !== undefined) continue
      yield* stepsOf(parsed.value, Number(message.subject.split('.')[1]), base + message.seq, whose)
    }
}

function* stepsOf(
  envelope: LearningEnvelope,
  partition: number,
  position: number,
  { person, before }: Whose,
): Generator<Step> {
  if (envelope.siteId !== person.siteId || !belongsTo(person, envelope)) return
  const receivedAt = Date.parse(envelope.receivedAt)
  for (const [index, record] of envelope.records.entries())
    if (record.at <= before)
      yield { partition, recordId: learningRecordId(partition, envelope, index), position, receivedAt, record }
  // Once they have left the stream they stay in the sums, which name no person.
  const { contents } = envelope
  if (contents && receivedAt <= before)
    yield { partition, recordId: contentsRecordId(partition, envelope), position, receivedAt, contents }
}
