import { hash } from 'node:crypto'
import {
  type DecisionEnvelope,
  joined,
  partitionOf,
  type RejectedEnvelope,
  spreadPartitionOf,
  streamSubject,
} from '@slotstream/protocol'
import { utf8Of } from '../../http/body/json-text.js'
import { type AcceptedMessage, envelopeBytes, envelopeOf, type OutgoingEnvelope } from './outgoing-envelope.js'

/**
 * Largest stream message, in bytes. nats-server takes 1 MB unless told otherwise; a body of 500 KB can grow beyond it,
 * by what is added to each message, by a context for all, and by numbers such as 1e20 that are longer when written out.
 */
const MAX_STREAM_MESSAGE_BYTES = 768 * 1024

/** One message for the stream. */
export interface Publication {
  subject: string
  data: Uint8Array
  /** Equal for each send of the same thing: JetStream drops the later ones. */
  msgId: string
}

/**
 * Returns the publications of an envelope. The ids behind a `msgId` are namespaced by site, sender and visitor, and all
 * message ids are part of it, so that no client can suppress another's events, nor its own by using a batch id again.
 */
export function eventPublications(envelope: OutgoingEnvelope, batchId: string, partitions: number): Publication[] {
  const { siteId, visitorId } = envelope
  if (envelope.spread) return spreadPublications(envelope, batchId, partitions)
  return publicationsOf(envelope, batchId, partitionOf(siteId, visitorId, partitions))
}

/** Returns one or more publications for each partition that some of the messages belong to. */
function spreadPublications(envelope: OutgoingEnvelope, batchId: string, partitions: number): Publication[] {
  const { siteId, visitorId } = envelope
  const byPartition = new Map<number, AcceptedMessage[]>()
  for (const message of envelope.messages) {
    const partition = spreadPartitionOf(siteId, visitorId, message.id, partitions)
    byPartition.set(partition, [...(byPartition.get(partition) ?? []), message])
  }
  return [...byPartition].flatMap(([partition, messages]) =>
    publicationsOf(envelopeOf(envelope, messages), batchId, partition),
  )
}

function publicationsOf(envelope: OutgoingEnvelope, batchId: string, partition: number): Publication[] {
  const { siteId, sender = 'public', visitorId, messages } = envelope
  const subject = streamSubject('events', partition)
  return split(messages, slice => envelopeBytes(envelopeOf(envelope, slice))).map(({ slice, data }) => ({
    subject,
    data,
    msgId: digest(['events', siteId, sender, visitorId, batchId, ...slice.map(({ id }) => id)]),
  }))
}

/** Reasons are left out of the id: they may name a corrected time, which differs from send to send. */
export function rejectedPublications(envelope: RejectedEnvelope, batchId: string, partitions: number): Publication[] {
  const { siteId, sender = 'public', rejected } = envelope
  return split(rejected, slice => utf8Of(JSON.stringify({ ...envelope, rejected: slice }))).map(({ slice, data }) => {
    const msgId = digest([
      'rejected',
      siteId,
      sender,
      batchId,
      ...slice.flatMap(({ messageId, code, payload }) => [messageId ?? '', code, payload]),
    ])
    return { subject: streamSubject('rejected', partitionOf(siteId, msgId, partitions)), data, msgId }
  })
}

/** Returns the publications of an envelope of decisions, each with an id that keeps it from being stored twice. */
export function decisionPublications(envelope: DecisionEnvelope, partitions: number): Publication[] {
  const { siteId, visitorId, decisions } = envelope
  const subject = streamSubject('decisions', partitionOf(siteId, visitorId, partitions))
  return split(decisions, slice => utf8Of(JSON.stringify({ ...envelope, decisions: slice }))).map(
    ({ slice, data }) => ({
      subject,
      data,
      msgId: digest(['decisions', siteId, visitorId, JSON.stringify(slice)]),
    }),
  )
}

function split<T>(items: T[], write: (slice: T[]) => Uint8Array): { slice: T[]; data: Uint8Array }[] {
  const data = write(items)
  if (data.length <= MAX_STREAM_MESSAGE_BYTES || items.length === 1) return [{ slice: items, data }]
  const half = items.length >> 1
  return [...split(items.slice(0, half), write), ...split(items.slice(half), write)]
}

function digest(texts: string[]): string {
  return hash('sha256', joined(texts), 'base64url')
}
