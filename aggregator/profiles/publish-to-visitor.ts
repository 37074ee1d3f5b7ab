import { hash } from 'node:crypto'
import { type EventEnvelope, joined, partitionOf, type StoredMessage, streamSubject } from '@slotstream/protocol'
import type { Publisher } from '@slotstream/runtime'

/** Characters of messages in one stream message at most: as JSON they stay below the broker's 1 MB. */
const MAX_CHARACTERS = 200_000

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
  kind: 'link' | 'segments' | 'timer' | 'reward' | 'hearsay',
  cause: readonly string[],
): Promise<{ duplicate: boolean }> {
  const { siteId, visitorId } = notice
  const subject = streamSubject('events', partitionOf(siteId, visitorId, partitions))
  const id = hash('sha256', joined([siteId, ...cause]), 'base64url')
  const envelope: EventEnvelope = { ...notice, messages: [] }
  return publisher.publish(subject, JSON.stringify(envelope), `${kind}:${id}`)
}

/** Divides messages into portions of a bounded size, the same ones each time. */
export function portionsOf(messages: readonly StoredMessage[]): StoredMessage[][] {
  const all: StoredMessage[][] = []
  let characters = MAX_CHARACTERS
  for (const message of messages) {
    const size = JSON.stringify(message).length
    characters += size
    if (characters > MAX_CHARACTERS) {
      all.push([])
      characters = size
    }
    all.at(-1)!.push(message)
  }
  return all
}
