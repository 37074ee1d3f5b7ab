import { hash32 } from './hash.js'

/** Number of partitions of a new installation. It is kept with the data and can't change later. */
export const DEFAULT_PARTITIONS = 32

/**
 * The key that a visitor's messages are ordered, stored and counted by: the browser, or the person when a server
 * names only a `userId`. The prefix keeps the two apart, so that nobody reads a person's profile by choosing an
 * `anonymousId` that equals a `userId`, prefixed or not. Returns '' when there is neither.
 */
export function visitorIdOf(message: { anonymousId?: string | undefined; userId?: string | undefined }): string {
  const { anonymousId } = message
  if (anonymousId) return isPrefixed(anonymousId) ? `visitor:${anonymousId}` : anonymousId
  return message.userId ? `user:${message.userId}` : ''
}

function isPrefixed(id: string): boolean {
  return id.startsWith('user:') || id.startsWith('visitor:')
}

/** The partition of a visitor: all of one visitor's messages are in one partition, in order. */
export function partitionOf(siteId: string, visitorId: string, partitions: number): number {
  return hash32(`${siteId}\0${visitorId}`) % partitions
}

/** Partitions, at most, that the messages of one heavy sender are spread over. */
const SPREAD = 16

/**
 * The partition of a message whose sender is spread. It depends on the message's id alone: each send of it goes to
 * the same partition, where a late copy is known.
 */
export function spreadPartitionOf(siteId: string, visitorId: string, messageId: string, partitions: number): number {
  return partitionOf(siteId, `${visitorId}\0${hash32(messageId) % SPREAD}`, partitions)
}

/** A share of visitors, stable per visitor and purpose, as a number in [0, 1). */
export function shareOf(purpose: string, siteId: string, visitorId: string): number {
  return hash32(`${purpose}\0${siteId}\0${visitorId}`) / 2 ** 32
}
