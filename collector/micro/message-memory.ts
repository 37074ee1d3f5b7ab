import {
  type EventEnvelope,
  openEnvelope,
  type RejectedEnvelope,
  type RejectedMessage,
  STREAMS,
} from '@slotstream/protocol'
import type { Publisher, Stored } from '@slotstream/runtime'

/** A message that was accepted: as it would be stored, and what its stream message says of it. */
export type Good = EventEnvelope['messages'][number] & Omit<EventEnvelope, 'messages'>

/** A message that was rejected, or a request that was rejected as a whole. */
export type Bad = (RejectedMessage & Omit<RejectedEnvelope, 'rejected'>) | RefusedRequest

/** A request none of whose messages was looked at. */
export interface RefusedRequest {
  receivedAt: string
  /** Path of the route. */
  route: string
  code: string
  reason: string
}

/** How many there are now, and how many had to make room for newer ones since the last reset. */
export interface Counts {
  total: number
  good: number
  bad: number
  forgotten: number
}

/** Messages that a collector without a stream keeps in memory. */
export interface MessageMemory {
  /** The publisher instead of the stream: what is published is kept. A second send with the same id is dropped. */
  publisher: Publisher
  refused(request: RefusedRequest): void
  /** Returns the good ones in the order in which they came. */
  good(): Good[]
  bad(): Bad[]
  counts(): Counts
  reset(): void
}

interface Entry {
  bytes: number
  msgId?: string | undefined
  seq: number
  good: Good[]
  bad: Bad[]
}

/**
 * @param maxMessages how many messages are kept; the oldest make room for new ones
 * @param maxBytes the same in bytes of JSON text
 */
export function createMessageMemory({
  maxMessages,
  maxBytes,
}: {
  maxMessages: number
  maxBytes: number
}): MessageMemory {
  let entries: Entry[] = []
  let seqOf = new Map<string, number>()
  let [messages, bytes, forgotten, seq] = [0, 0, 0, 0]

  function keep(entry: Entry) {
    entries.push(entry)
    if (entry.msgId !== undefined) seqOf.set(entry.msgId, entry.seq)
    messages += sizeOf(entry)
    bytes += entry.bytes
    while (entries.length > 1 && (messages > maxMessages || bytes > maxBytes)) {
      const oldest = entries.shift()!
      if (oldest.msgId !== undefined) seqOf.delete(oldest.msgId)
      messages -= sizeOf(oldest)
      bytes -= oldest.bytes
      forgotten += sizeOf(oldest)
    }
  }

  return {
    publisher: {
      pending: 0,
      async publish(subject, data, msgId): Promise<Stored> {
        const before = msgId === undefined ? undefined : seqOf.get(msgId)
        if (before !== undefined) return { seq: before, duplicate: true }
        keep({ ...entryOf(subject, data), msgId, seq: ++seq })
        return { seq, duplicate: false }
      },
      close() {},
    },
    refused(request) {
      keep({ bytes: JSON.stringify(request).length, seq: ++seq, good: [], bad: [request] })
    },
    good: () => entries.flatMap(({ good }) => good),
    bad: () => entries.flatMap(({ bad }) => bad),
    counts() {
      const good = entries.reduce((sum, entry) => sum + entry.good.length, 0)
      const bad = entries.reduce((sum, entry) => sum + entry.bad.length, 0)
      return { total: good + bad, good, bad, forgotten }
    },
    reset() {
      entries = []
      seqOf = new Map()
      ;[messages, bytes, forgotten] = [0, 0, 0]
    },
  }
}

function sizeOf({ good, bad }: Entry): number {
  return good.length + bad.length
}

/** Returns a stream message taken apart. Decisions are neither kind, and are not made here. */
function entryOf(subject: string, data: Uint8Array | string): Pick<Entry, 'bytes' | 'good' | 'bad'> {
  const entry = { bytes: data.length, good: [] as Good[], bad: [] as Bad[] }
  const envelope = JSON.parse(typeof data === 'string' ? data : new TextDecoder().decode(data))
  if (subject.startsWith(`${STREAMS.events.subject}.`)) {
    const { messages, ...rest } = openEnvelope(envelope)
    entry.good = messages.map(message => ({ ...message, ...rest }))
  } else if (subject.startsWith(`${STREAMS.rejected.subject}.`)) {
    const { rejected, ...rest } = envelope as RejectedEnvelope
    entry.bad = rejected.map(message => ({ ...message, ...rest }))
  }
  return entry
}
