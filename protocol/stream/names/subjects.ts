/** Names inside NATS. One place, so that an operator can read here what belongs to this product. */

/** JetStream streams and the subjects they store: one subject per partition. */
export const STREAMS = {
  events: { name: 'EVENTS', subject: 'events' },
  decisions: { name: 'DECISIONS', subject: 'decisions' },
  signals: { name: 'SIGNALS', subject: 'signals' },
  rejected: { name: 'REJECTED', subject: 'rejected' },
  deliveries: { name: 'DELIVERIES', subject: 'deliveries' },
  learning: { name: 'LEARNING', subject: 'learning' },
} as const

export type StreamKind = keyof typeof STREAMS

/**
 * Returns the subject of a partition: `events.7`, `decisions.7`, `signals.7`, `rejected.7`, `deliveries.7`,
 * `learning.7`.
 */
export function streamSubject(kind: StreamKind, partition: number): string {
  return `${STREAMS[kind].subject}.${partition}`
}

/** Returns the request-reply subject on which the owner of a partition decides. */
export function decideSubject(partition: number): string {
  return `decide.${partition}`
}

/** Returns the request-reply subject on which the owner of a partition reads the profiles of its visitors. */
export function profilesSubject(partition: number): string {
  return `profile.${partition}`
}

/** Returns the request-reply subject on which the owner of a partition tells who of it would be in a segment. */
export function previewSubject(partition: number): string {
  return `preview.${partition}`
}

/** Returns the request-reply subject on which the owner of a partition tells the features of content. */
export function contentSubject(partition: number): string {
  return `content.${partition}`
}

/** Returns the request-reply subject on which the owner of a partition tells of its deliveries to a webhook. */
export function webhookSubject(partition: number): string {
  return `webhook.${partition}`
}
