import type { ClickHouseClient } from '@clickhouse/client'
import {
  bucketOfStream,
  type DecisionEnvelope,
  type DeliveryEnvelope,
  type EventEnvelope,
  type LearningEnvelope,
  type NamedIds,
  openEnvelope,
  type Person,
  type Profile,
  type SentEnvelope,
  type SignalEnvelope,
} from '@slotstream/protocol'
import { type Installation, KINDS, type Log, type Nats, readWhole } from '@slotstream/runtime'
import type { Redis } from '../../profiles/store/redis/open-redis.js'
import type { Sealed } from '../job-store.js'
import { mayName } from './matches-text.js'
import { PLACES, withoutNumber } from './places.js'

export interface FindDeps {
  nats: Nats
  installation: Installation
  clickhouse: ClickHouseClient
  log: Log
  /** The Redis that has the profiles. Absent: they are in NATS KV */
  redis?: Redis | undefined
  /** Ends it; it throws. Default: nothing does */
  signal?: AbortSignal
}

/**
 * Finds every browser that came with the person, in the tables, in the streams and among the profiles. A userId without
 * the signature that its site asks for is a claim: it is the person's data, and says nothing of the browser.
 */
export async function findPerson(deps: FindDeps, siteId: string, { id, as }: Sealed): Promise<Person> {
  const userIds = as === 'anonymousId' ? [] : [id]
  const anonymousIds = as === 'userId' ? [] : [id]
  const person: Person = { siteId, userIds, browsers: [], anonymousIds }
  if (userIds.length === 0) return person
  const browsers = new Set<string>()
  const add = (named: NamedIds) => {
    const { anonymousId, userId, previousId } = named
    if (!userId || !userIds.includes(userId)) return
    for (const browserId of [anonymousId, previousId])
      if (browserId && !anonymousIds.includes(browserId) && !userIds.includes(browserId)) browsers.add(browserId)
  }
  for await (const named of namedInTables(deps, person)) add(named)
  for await (const named of namedInStreams(deps, person)) add(named)
  return { ...person, browsers: [...browsers] }
}

async function* namedInTables({ clickhouse, signal }: FindDeps, person: Person): AsyncGenerator<NamedIds> {
  for (const [name, { by, columns, proven = 'true' }] of Object.entries(PLACES.tables)) {
    // Sessions have several users, and what they know is in events.
    if (by === 'payload' || by === 'session') continue
    const { anonymousId, userId, previousId = "''" } = columns
    const result = await clickhouse.query({
      query: `SELECT DISTINCT ${anonymousId} AS anonymousId, ${userId} AS userId, ${previousId} AS previousId
              FROM slotstream.${name} WHERE site_id = {siteId:String} AND ${userId} IN {users:Array(String)}
              AND ${proven}`,
      query_params: { siteId: person.siteId, users: person.userIds },
      format: 'JSONEachRow',
      ...(signal && { abort_signal: signal }),
    })
    for await (const rows of result.stream<NamedIds>()) for (const row of rows) yield row.json()
  }
}

async function* namedInStreams(deps: FindDeps, person: Person): AsyncGenerator<NamedIds> {
  const { nats, log, signal } = deps
  const may = mayName(person)
  for (const { stream, read } of await readersOf(deps))
    for await (const message of readWhole(nats, stream, log)) {
      signal?.throwIfAborted()
      const text = message.string()
      if (!may(text)) continue
      try {
        const envelope = JSON.parse(text)
        if (envelope.siteId === person.siteId) yield* read(envelope as never)
      } catch {
        // No envelope: a dead letter has it.
      }
    }
}

/** Opens readers of the streams whose messages link browsers and users. */
async function readersOf({ nats, installation }: FindDeps) {
  const ofKind = {
    events(envelope: EventEnvelope | SentEnvelope): NamedIds[] {
      const { messages, identity = [] } = openEnvelope(envelope)
      return envelope.sender === 'unsigned' ? identity : [...messages, ...identity]
    },
    decisions: ({ decisions }: DecisionEnvelope): NamedIds[] => decisions,
    signals: ({ signals }: SignalEnvelope): NamedIds[] => signals,
    rejected: (): NamedIds[] => [],
    deliveries: ({ deliveries }: DeliveryEnvelope): NamedIds[] => deliveries,
    learning: ({ anonymousId, userId }: LearningEnvelope): NamedIds[] => [{ anonymousId, userId }],
  }
  const readers: { stream: string; read: (envelope: never) => NamedIds[] }[] = []
  for (const kind of KINDS)
    for (const { name } of [...installation.past[kind], ...installation.streams[kind]])
      readers.push({ stream: name, read: ofKind[kind] as (envelope: never) => NamedIds[] })
  for (const stream of await profileStreams(nats))
    readers.push({ stream, read: (profile: Profile): NamedIds[] => [profile] })
  return readers
}

/** Returns the names of the streams of the buckets of profiles, of all generations that there are. */
export async function profileStreams({ manager }: Pick<Nats, 'manager'>): Promise<string[]> {
  const streams: string[] = []
  for await (const name of manager.streams.names()) {
    const bucket = bucketOfStream(name)
    if (bucket !== undefined && PLACES.buckets.includes(withoutNumber(bucket))) streams.push(name)
  }
  return streams
}
