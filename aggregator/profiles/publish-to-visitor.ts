import { hash } from 'node:crypto'
import { type EventEnvelope, joined, partitionOf, streamSubject } from '@slotstream/protocol'
import type { Publisher } from '@slotstream/runtime'

/** A notice about a visitor from one owner to another, beside messages. */
export type VisitorNotice = Omit<EventEnvelope, 'messages'>

/**
 * Puts what a visitor's owner has to be told into the stream of events, where it takes its place among the visitor's
 * messages. Of the same kind and cause within two minutes the stream has one.
 *
 * @param cause what makes it another one of its kind, within the site
 * @returns whether the stream had it already
 * @throws PublishError when the stream may not have it: call it again
 */
export async function publishToVisitor(
  publisher: Pick<Publisher, 'publish'>,
  partitions: number,
  notice: VisitorNotice,
  kind: 'link' | 'segments' | 'timer' | 'reward',
  cause: readonly string[],
): Promise<{ duplicate: boolean }> {
  const { siteId, visitorId } = notice
  const subject = streamSubject('events', partitionOf(siteId, visitorId, partitions))
  const id = hash('sha256', joined([siteId, ...cause]), 'base64url')
  const envelope: EventEnvelope = { ...notice, messages: [] }
  return publisher.publish(subject, JSON.stringify(envelope), `${kind}:${id}`)
}
