import {
  belongsTo,
  type DeadLetter,
  type DecisionEnvelope,
  type DeliveryEnvelope,
  decodePayload,
  type EventEnvelope,
  encodePayload,
  idsOfVisitor,
  isObject,
  isoTime,
  type LearningEnvelope,
  type NamedIds,
  namedInText,
  openEnvelope,
  type Person,
  type Profile,
  parseJson,
  type RejectedEnvelope,
  type SentEnvelope,
  type SignalEnvelope,
  STREAMS,
  type StoredMessage,
  type StreamKind,
  visitorsOf,
} from '@slotstream/protocol'
import { holdsId } from '../find/matches-text.js'
import { withoutNumber } from '../find/places.js'

/** Parts of a stream message that belong to a person. */
export interface Stripped {
  /** Entries that are theirs. */
  entries: unknown[]
  /** The message without them, as JSON; undefined when nothing is left. */
  rest: string | undefined
}

/** Ids of the person, and the time (ms since the epoch) up to which everything of them goes. */
export interface Whose {
  person: Person
  before: number
}

/**
 * Takes a person's entries out of a message of a stream of the kind. Pure. Undefined: there are none. Text that is no
 * envelope is theirs as a whole when it holds one of their ids.
 */
export function strip(kind: StreamKind, text: string, whose: Whose): Stripped | undefined {
  const envelope = parseJson(text)
  if (!isObject(envelope)) return stripUnreadable(text, whose)
  if (envelope.siteId !== whose.person.siteId) return undefined
  try {
    return STRIPPERS[kind](envelope as never, whose)
  } catch {
    return stripUnreadable(text, whose)
  }
}

/** Takes a person's entries out of the message that a dead letter carries. Pure. `rest` is the letter without them. */
export function stripLetter(text: string, whose: Whose): Stripped | undefined {
  const parsed = parseJson(text)
  if (!isObject(parsed)) return stripUnreadable(text, whose)
  const letter = parsed as unknown as DeadLetter
  const data = decodePayload(letter)
  // Parsers repeat the data in their errors.
  if (!data) return stripUnreadable(letter.error, whose)
  const stripped = stripPayload(letter, new TextDecoder().decode(data), whose)
  if (stripped?.rest === undefined) return stripped
  const payload = encodePayload(new TextEncoder().encode(stripped.rest))
  const rest: DeadLetter = { ...letter, ...payload, error: 'removed together with a person' }
  return { entries: stripped.entries, rest: JSON.stringify(rest) }
}

function stripPayload({ stream }: DeadLetter, payload: string, whose: Whose): Stripped | undefined {
  const kinds = Object.keys(STREAMS) as StreamKind[]
  const kind = kinds.find(each => STREAMS[each].name === withoutNumber(stream))
  if (kind) return strip(kind, payload, whose)
  const profile = parseJson(payload) as Profile | undefined
  if (!isObject(profile)) return stripUnreadable(payload, whose)
  return isProfileOf(profile as unknown as Profile, whose) ? { entries: [profile], rest: undefined } : undefined
}

/** Returns whether a profile is one of the person's, and began before the deletion. */
export function isProfileOf({ siteId, visitorId, firstSeen }: Profile, { person, before }: Whose): boolean {
  return siteId === person.siteId && visitorsOf(person).includes(visitorId) && !(Date.parse(firstSeen) > before)
}

const STRIPPERS = {
  events(envelope: EventEnvelope | SentEnvelope, whose: Whose): Stripped | undefined {
    const { visitorId, messages, identity = [], timer, segments, served = [], ...passedOn } = openEnvelope(envelope)
    const { forwarded = [], hearsay } = passedOn
    const heard = hearsay?.messages ?? []
    const notices = [timer ?? [], segments ?? []].flat()
    const isMessageTheirs = (message: StoredMessage) => isTheirs(message, message.timestamp, whose)
    // What another visitor sent stands beside the id of the one to whom it was passed on.
    const isPassedTheirs = (message: StoredMessage) =>
      isMessageTheirs(message) || isTheirs(idsOfVisitor(visitorId), message.timestamp, whose)
    const theirs = [
      ...messages.map(isMessageTheirs),
      ...[...identity, ...notices].map(named => isTheirs(named, envelope.receivedAt, whose)),
      ...[...forwarded, ...heard].map(isPassedTheirs),
      ...served.map(({ at }) => isTheirs(idsOfVisitor(visitorId), isoTime(at), whose)),
    ]
    const all = [...messages, ...identity, ...notices, ...forwarded, ...heard, ...served]
    return stripped(all, theirs, isKept => ({
      ...withMessages(envelope, isKept),
      ...(identity.length > 0 && { identity: identity.filter((_, index) => isKept(messages.length + index)) }),
      ...(forwarded.length > 0 && { forwarded: forwarded.filter(message => !isPassedTheirs(message)) }),
      ...(hearsay && { hearsay: { ...hearsay, messages: heard.filter(message => !isPassedTheirs(message)) } }),
      ...(served.length > 0 && { served: served.filter((_, index) => isKept(all.length - served.length + index)) }),
    }))
  },
  decisions(envelope: DecisionEnvelope, whose: Whose): Stripped | undefined {
    const theirs = envelope.decisions.map(each => isTheirs(each, each.timestamp, whose))
    return stripped(envelope.decisions, theirs, isKept => ({
      ...envelope,
      decisions: envelope.decisions.filter((_, index) => isKept(index)),
    }))
  },
  signals(envelope: SignalEnvelope, whose: Whose): Stripped | undefined {
    const theirs = envelope.signals.map(each => isTheirs(each, each.timestamp, whose))
    return stripped(envelope.signals, theirs, isKept => ({
      ...envelope,
      signals: envelope.signals.filter((_, index) => isKept(index)),
    }))
  },
  deliveries(envelope: DeliveryEnvelope, whose: Whose): Stripped | undefined {
    const theirs = envelope.deliveries.map(each => isTheirs(each, each.timestamp, whose))
    return stripped(envelope.deliveries, theirs, isKept => ({
      ...envelope,
      deliveries: envelope.deliveries.filter((_, index) => isKept(index)),
    }))
  },
  learning(envelope: LearningEnvelope, whose: Whose): Stripped | undefined {
    const { records, contents, ...rest } = envelope
    const theirs = [
      ...records.map(({ at }) => isTheirs(envelope, isoTime(at), whose)),
      ...(contents ? [isTheirs(envelope, envelope.receivedAt, whose)] : []),
    ]
    return stripped([...records, ...(contents ? [contents] : [])], theirs, isKept => ({
      ...rest,
      records: records.filter((_, index) => isKept(index)),
      ...(contents && isKept(records.length) && { contents }),
    }))
  },
  rejected(envelope: RejectedEnvelope, whose: Whose): Stripped | undefined {
    const theirs = envelope.rejected.map(({ payload }) =>
      namedInText(payload).some(named => isTheirs(named, envelope.receivedAt, whose)),
    )
    return stripped(envelope.rejected, theirs, isKept => ({
      ...envelope,
      rejected: envelope.rejected.filter((_, index) => isKept(index)),
    }))
  },
}

function stripped(
  all: unknown[],
  theirs: boolean[],
  without: (isKept: (index: number) => boolean) => object,
): Stripped | undefined {
  const entries = all.filter((_, index) => theirs[index])
  if (entries.length === 0) return undefined
  const isNothingLeft = entries.length === all.length
  return { entries, rest: isNothingLeft ? undefined : JSON.stringify(without(index => !theirs[index])) }
}

/** Returns the envelope with some of its messages, which stay as their client wrote them. */
function withMessages(envelope: EventEnvelope | SentEnvelope, isKept: (index: number) => boolean): object {
  const keep = <T>(list: T[]) => list.filter((_, index) => isKept(index))
  if ('messages' in envelope) return { ...envelope, messages: keep(envelope.messages) }
  const { sent, body, context, ledger, ...rest } = envelope
  const all = sent ?? body?.batch ?? []
  return {
    ...rest,
    // It belongs to the browser, and stands with the last message.
    ...(ledger && isKept(all.length - 1) && { ledger }),
    ...(context && { context: Array.isArray(context) ? keep(context) : context }),
    sent: keep(all),
  }
}

/** Returns whether data is the person's. Data without a usable time is in any case. */
function isTheirs(named: NamedIds, time: string, { person, before }: Whose): boolean {
  return belongsTo(person, named) && !(Date.parse(time) > before)
}

function stripUnreadable(text: string, { person }: Whose): Stripped | undefined {
  return holdsId(person, text) ? { entries: [text], rest: undefined } : undefined
}
