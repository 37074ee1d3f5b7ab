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

/** Messages of one visitor for others, found at place `seq` in the stream of the visitor's partition. */
interface PassedOn extends Pick<VisitorNotice, 'siteId' | 'visitorId' | 'receivedAt' | 'sender'> {
  seq: number
  messages: readonly StoredMessage[]
}

/** The field of an envelope that has messages of another visitor. */
type PassedField = Pick<VisitorNotice, 'forwarded' | 'hearsay'>

/**
 * Creates the function that passes messages on to visitors of these keys, in portions that fit into a message of the
 * stream. It throws PublishError when the stream may not have all of it: call it again.
 *
 * @param onPassed called for each notice that the stream did not have yet, with the number of its messages
 */
export function createPassOn(
  publisher: Pick<Publisher, 'publish'>,
  partitions: number,
  kind: 'reward' | 'hearsay',
  onPassed: (messages: number) => void,
) {
  return async (
    { siteId, visitorId, receivedAt, sender, seq, messages }: PassedOn,
    visitors: readonly string[],
    fieldOf: (portion: StoredMessage[]) => PassedField,
  ): Promise<void> => {
    for (const [place, portion] of portionsOf(messages).entries())
      for (const other of visitors) {
        const notice = { siteId, visitorId: other, receivedAt, ...(sender && { sender }), ...fieldOf(portion) }
        const cause = [visitorId, other, String(seq), String(place)]
        const { duplicate } = await publishToVisitor(publisher, partitions, notice, kind, cause)
        if (!duplicate) onPassed(portion.length)
      }
  }
}

/** Divides messages into portions of a bounded size, the same ones each time. */
function portionsOf(messages: readonly StoredMessage[]): StoredMessage[][] {
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
