import type { Ledger, MessageContext, Sender, SentEnvelope } from '@slotstream/protocol'
import { jsonText, utf8Of } from '../../http/body/json-text.js'
import type { RawBody } from '../../http/body/read-body.js'
import { batchTexts } from './batch-texts.js'

const END = utf8Of('}')

/** A batch as its client wrote it. Only looked into where it can't go on as a whole. */
export interface BatchText {
  whole: Uint8Array
  /** Returns the text of the message at a place of the list. */
  message(index: number): string | undefined
}

/** Creates the text of a batch from the body that it came in. */
export function createBatchText({ text, utf8 }: RawBody): BatchText {
  let texts: string[] | undefined
  return {
    whole: utf8,
    message(index) {
      texts ??= batchTexts(text) ?? []
      return texts[index]
    },
  }
}

/** A message of a batch that was found good. */
export interface AcceptedMessage {
  id: string
  raw: unknown
  /** Its place in the batch. */
  index: number
  /** Whether it differs from what the client wrote. */
  changed: boolean
  /** Fields that are added to its context. */
  added: MessageContext | undefined
}

/** The envelope of a visitor's messages in a batch, before it is written. */
export interface OutgoingEnvelope extends Pick<SentEnvelope, 'siteId' | 'visitorId' | 'receivedAt' | 'spread'> {
  /** Default: `public`. */
  sender?: Sender
  oldest?: string | undefined
  sentAt?: string | undefined
  ledger?: Ledger | undefined
  messages: AcceptedMessage[]
  /** Default: all is serialized again. */
  text?: BatchText | undefined
  /** The batch holds these messages, unchanged, and nothing that must not be kept. */
  isWhole?: boolean
}

/** Returns the envelope of some of its messages. The ledger stays with the last. */
export function envelopeOf(all: OutgoingEnvelope, messages: AcceptedMessage[]): OutgoingEnvelope {
  if (messages === all.messages) return all
  const { ledger, ...envelope } = all
  const hasLast = messages.at(-1) === envelope.messages.at(-1)
  return { ...envelope, messages, isWhole: false, ...(ledger && hasLast ? { ledger } : {}) }
}

/** Returns the `SentEnvelope` as JSON, put together from what the client wrote, as far as that is possible. */
export function envelopeBytes(envelope: OutgoingEnvelope): Uint8Array {
  const {
    siteId,
    visitorId,
    receivedAt,
    sender = 'public',
    oldest,
    sentAt,
    spread,
    ledger,
    messages,
    text,
    isWhole,
  } = envelope
  const first = messages[0]?.added
  const same = messages.every(({ added }) => added === first)
  const context = same ? first : messages.map(({ added }) => added ?? null)
  // Absent means `public`, which nearly all are.
  const head = {
    siteId,
    visitorId,
    receivedAt,
    sender: sender === 'public' ? undefined : sender,
    oldest,
    sentAt,
    spread,
    ledger,
    context,
  }
  const opening = JSON.stringify(head).slice(0, -1)
  if (text && isWhole) return Buffer.concat([utf8Of(`${opening},"body":`), text.whole, END])
  return utf8Of(`${opening},"sent":[${messages.map(message => textOf(message, text)).join()}]}`)
}

/** Returns the message as JSON: in the client's own words, if they still hold. */
export function textOf(
  { raw, index, changed }: Pick<AcceptedMessage, 'raw' | 'index' | 'changed'>,
  text?: BatchText,
): string {
  return (changed ? undefined : text?.message(index)) ?? jsonText(raw)
}
