/**
 * Kinds of senders that a message can have. `secret`: the site's server, which proved it by a secret key. `public`: a
 * page, with a write key that any visitor can read there. `unsigned`: a page that names a `userId` without the
 * signature that its site wants: kept as data, and nothing follows from the `userId`.
 *
 * Messages of two kinds are never the same message, whatever their ids: what any client can send must not suppress what
 * a server sends.
 */
export const SENDERS = ['public', 'unsigned', 'secret'] as const

export type Sender = (typeof SENDERS)[number]

/** Tells whether a value is a kind of sender. */
export const isSender = (value: unknown): value is Sender => SENDERS.includes(value as Sender)

/** Kinds of keys a request can carry. */
export type KeyKind = 'public' | 'secret'

/**
 * Reads a sender as a stream or table holds it. Absent is `public`: what was stored before there were secret keys. What
 * is none is `unsigned`, from which least follows.
 */
export function senderOf(value: unknown): Sender {
  if (value === undefined) return 'public'
  return isSender(value) ? value : 'unsigned'
}

/**
 * Oldest time that a public key's message may have, in milliseconds before its receipt: longer than any offline queue
 * is kept. Applies to sites with secret keys.
 */
export const MAX_PUBLIC_AGE_MS = 30 * 24 * 60 * 60 * 1000

/** Shortest and longest secret key and identity secret, in characters. */
export const MIN_SECRET_LENGTH = 16
export const MAX_SECRET_LENGTH = 256

/** Most secret keys of a site: one in use, one that replaces it, and some for several servers. */
export const MAX_SECRET_KEYS = 20
