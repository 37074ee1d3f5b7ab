import {
  BUCKETS,
  bucketStream,
  type Check,
  isCount,
  isListOf,
  isObject,
  keySubject,
  webhookPositionKey,
} from '@slotstream/protocol'
import {
  bucketKeys,
  type Installation,
  ignoreMissing,
  type Log,
  type Nats,
  PublishError,
  type Publisher,
  parseEntry,
  skipEntry,
} from '@slotstream/runtime'
import { isPending, type Pending } from '../queue/pending.js'

/** Another process wrote what this one was about to: it has the partition now. */
export class LostPosition extends Error {
  override name = 'LostPosition'
  readonly code = 'lost_position'
}

/** The position of a webhook in a partition. */
export interface WebhookPosition {
  /** Sequence up to which its signals were taken. Absent: as the partition's. */
  through?: number
  /** Signals up to there that it has not got yet. */
  pending: Pending[]
}

/** A value with the revision by which it may be replaced; 0: there is none. */
export interface Stored<T> {
  value: T | undefined
  revision: number
}

/** The store of the deliveries' positions of a partition, in the bucket `positions`. */
export interface PositionStore {
  /** Reads the sequence up to which signals were taken for all webhooks that do not say otherwise. */
  readThrough(): Promise<Stored<number>>
  /** Reads the positions of the webhooks that were ever seen in the partition, by id. */
  readWebhooks(): Promise<Map<string, Stored<WebhookPosition>>>
  /** Writes a position. Resolves to its revision. @throws LostPosition when the revision is another one */
  writeThrough(seq: number, revision: number): Promise<number>
  writeWebhook(webhookId: string, position: WebhookPosition, revision: number): Promise<number>
  /** Removes the position of a webhook that was deleted. */
  remove(revision: number): Promise<void>
}

/** Creates the store of a partition. */
export function createPositionStore(
  nats: Nats,
  publisher: Pick<Publisher, 'publish'>,
  { positions }: Pick<Installation['buckets'], 'positions'>,
  partition: number,
  log: Log,
): PositionStore {
  async function read<T>(key: string, parse: (raw: unknown) => Check<T>): Promise<Stored<T>> {
    const entry = await positions.get(key)
    const revision = entry?.revision ?? 0
    if (entry?.operation !== 'PUT') return { value: undefined, revision }
    const parsed = parseEntry(entry, parse)
    if (!parsed.ok) skipEntry(log, BUCKETS.positions, { key, revision }, parsed.reason)
    return { value: parsed.ok ? parsed.value : undefined, revision }
  }

  async function write(key: string, value: object, revision: number): Promise<number> {
    const text = JSON.stringify(value)
    try {
      return (await publisher.publish(keySubject(BUCKETS.positions, key), text, undefined, revision)).seq
    } catch (error) {
      if (!(error instanceof PublishError && error.code === 'conflict')) throw error
      // The answer to the attempt before may have been lost.
      const entry = await positions.get(key)
      if (entry?.operation === 'PUT' && entry.string() === text) return entry.revision
      throw new LostPosition(`${key} is not at revision ${revision}`, { cause: error })
    }
  }

  return {
    readThrough: () => read(webhookPositionKey(partition), parseThrough),
    async readWebhooks() {
      const byWebhook = new Map<string, Stored<WebhookPosition>>()
      const prefix = webhookPositionKey(partition, '')
      for (const key of await bucketKeys(positions, `${prefix}*`))
        byWebhook.set(key.slice(prefix.length), await read(key, parsePosition))
      return byWebhook
    },
    writeThrough: (seq, revision) => write(webhookPositionKey(partition), { seq }, revision),
    writeWebhook: (webhookId, position, revision) =>
      write(webhookPositionKey(partition, webhookId), position, revision),
    async remove(revision) {
      // By its number in the stream: what was written again has another one, and stays.
      await nats.manager.streams.deleteMessage(bucketStream(BUCKETS.positions), revision, false).catch(ignoreMissing)
    },
  }
}

function parseThrough(raw: unknown): Check<number> {
  const seq = isObject(raw) ? raw.seq : undefined
  return isCount(seq) ? { ok: true, value: seq } : { ok: false, reason: 'seq is not a whole number from 0' }
}

function parsePosition(raw: unknown): Check<WebhookPosition> {
  if (!isObject(raw)) return { ok: false, reason: 'a position is not a JSON object' }
  const { through, pending } = raw
  if (through !== undefined && !isCount(through)) return { ok: false, reason: 'through is not a whole number from 0' }
  if (!isListOf(pending, isPending)) return { ok: false, reason: 'pending is not a list of signals' }
  return { ok: true, value: { pending: pending as Pending[], ...(through !== undefined && { through }) } }
}
