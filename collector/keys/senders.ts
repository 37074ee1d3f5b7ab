import {
  idOf,
  isObject,
  isoTime,
  type KeyKind,
  MAX_PUBLIC_AGE_MS,
  type RejectionCode,
  type Sender,
  type Site,
} from '@slotstream/protocol'
import { isSigned } from './signatures.js'

/** The sender of a message, as it was verified. */
export interface Stamped {
  sender: Sender
  /** Whether the message was changed. */
  changed: boolean
}

/** Tells who may have sent the messages of a request, by its key. */
export interface Senders {
  key: KeyKind
  /** Earliest time that messages may have, ISO 8601. Absent: any. */
  oldest?: string
  /**
   * Decides what sends a message, before it is checked. Takes out of its context, in place, what only the collector may
   * say and the signature, which isn't needed afterwards, and out of the message a secret key; puts the verdict there
   * where the site signs its users.
   */
  stamp(raw: unknown): Stamped
  /** Returns why a message that is otherwise good needs a secret key; undefined when it doesn't. */
  refusalOf(message: Record<string, unknown>): { code: RejectionCode; reason: string } | undefined
}

/** One object for each outcome: every message pays for this. */
const STAMPED = {
  public: [
    { sender: 'public', changed: false },
    { sender: 'public', changed: true },
  ],
  unsigned: [
    { sender: 'unsigned', changed: false },
    { sender: 'unsigned', changed: true },
  ],
  secret: [
    { sender: 'secret', changed: false },
    { sender: 'secret', changed: true },
  ],
} as const satisfies Record<Sender, readonly [Stamped, Stamped]>

const stamped = (sender: Sender, changed: boolean): Stamped => STAMPED[sender][changed ? 1 : 0]

export const NEEDS_SECRET_KEY = {
  code: 'secret_key_required',
  reason:
    'a userId without an anonymousId needs a secret key of the site: send it from a server, with one of secretKeys',
} as const

/** Messages of a site that has neither secret keys nor signatures. */
export const ALL_PUBLIC = createSenders({}, 'public', 0)

/**
 * Creates the rules for the senders of one request's messages.
 *
 * @param received when the request came, in milliseconds since the epoch
 * @param verify whether a user id is signed. Default: by the site's `identitySecret`
 */
export function createSenders(
  { secretKeyHashes = [], identitySecret }: Pick<Site, 'secretKeyHashes' | 'identitySecret'>,
  key: KeyKind,
  received: number,
  verify = identitySecret === undefined ? undefined : remembering(identitySecret),
): Senders {
  const isBound = key === 'public' && secretKeyHashes.length > 0
  return {
    key,
    ...(isBound ? { oldest: isoTime(received - MAX_PUBLIC_AGE_MS) } : {}),
    stamp(raw) {
      const message = objectOf(raw)
      const context = objectOf(message?.context)
      const claims = context && takeOut(context, message)
      const changed = claims !== undefined
      if (key === 'secret') return stamped('secret', takeOutKey(message) || changed)
      const userId = verify && message && textOf(idOf(message.userId))
      if (!verify || !message || !userId) return stamped('public', changed)
      const verified = verify(userId, claims?.signature)
      // A context that is none is found out later, and the message with it.
      if (context || message.context === undefined || message.context === null)
        message.context = { ...context, identity: { ...objectOf(context?.identity), verified } }
      return stamped(verified && !claimsBrowser(message, userId) ? 'public' : 'unsigned', true)
    },
    refusalOf: ({ anonymousId, userId }) =>
      isBound && !idOf(anonymousId) && idOf(userId) ? NEEDS_SECRET_KEY : undefined,
  }
}

/**
 * Tells whether an alias says of another browser than the one that sends it whose it is: the signature proves who asks,
 * and nothing of a browser that others may have named.
 */
function claimsBrowser({ type, anonymousId, previousId }: Record<string, unknown>, userId: string): boolean {
  if (type !== 'alias') return false
  const previous = idOf(previousId)
  return previous !== idOf(anonymousId) && previous !== userId
}

/** Takes what a client must not say, or must not be kept, out of a context; undefined when there is none of it. */
function takeOut(
  context: Record<string, unknown>,
  message: Record<string, unknown> | undefined,
): { signature: unknown } | undefined {
  let claims: { signature: unknown } | undefined
  // The category of what is clicked is in the catalog; in other messages the field is the client's own.
  if (context.content !== undefined && message?.type === 'track' && message.event === 'Slot Clicked') {
    delete context.content
    claims = { signature: undefined }
  }
  if (context.timeClamped !== undefined) {
    delete context.timeClamped
    claims = { signature: undefined }
  }
  const identity = objectOf(context.identity)
  if (!identity || (identity.signature === undefined && identity.verified === undefined)) return claims
  const { signature, verified: _claimed, ...rest } = identity
  // A copy: messages of one batch may share the context of their batch.
  if (Object.keys(rest).length > 0) context.identity = rest
  else delete context.identity
  return { signature }
}

/** Takes the key out of a message of a server that says it there, too: those who may read messages must not have it. */
function takeOutKey(message: Record<string, unknown> | undefined): boolean {
  if (message?.writeKey === undefined) return false
  delete message.writeKey
  return true
}

/** Nearly all messages of a request name the same user. */
function remembering(identitySecret: string) {
  let last: { userId: string; signature: unknown; verified: boolean } | undefined
  return (userId: string, signature: unknown): boolean => {
    if (last?.userId !== userId || last.signature !== signature)
      last = { userId, signature, verified: isSigned(identitySecret, userId, signature) }
    return last.verified
  }
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return isObject(value) ? value : undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
