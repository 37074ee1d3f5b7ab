import type { MessageContext, SentEnvelope } from '@slotstream/protocol'
import { batchTexts } from './batch-texts.js'
import { jsonText } from './json-text.js'

/** The JSON text of a batch as its client wrote it. Only looked into where it can't go on as a whole. */
export interface BatchText {
  whole: string
  /** The text of the message at a place of the list. */
  message(index: number): string | undefined
}

export function createBatchText(json: string): BatchText {
  let texts: string[] | undefined
  return {
    whole: json,
    message(index) {
      texts ??= batchTexts(json) ?? []
      return texts[index]
    },
  }
}

/** A message of a batch that was found good. */
export interface Taken {
  id: string
  raw: unknown
  /** Its place in the batch. */
  index: number
  /** Whether it differs from what the client wrote. */
  changed: boolean
  /** What is added to its context. */
  added: MessageContext | undefined
}

/** What a visitor's messages in a batch make, before it is written. */
export interface TakenEnvelope extends Omit<SentEnvelope, 'context' | 'sent' | 'body'> {
  messages: Taken[]
  /** Default: all is written anew. */
  text?: BatchText | undefined
  /** The batch holds these messages, unchanged, and nothing that must not be kept. */
  isWhole?: boolean
}

/** The envelope of some of its messages. The ledger stays with the last. */
export function envelopeOf(all: TakenEnvelope, messages: Taken[]): TakenEnvelope {
  if (messages === all.messages) return all
  const { ledger, ...envelope } = all
  const hasLast = messages.at(-1) === envelope.messages.at(-1)
  return { ...envelope, messages, isWhole: false, ...(ledger && hasLast ? { ledger } : {}) }
}

/** The JSON text of the `SentEnvelope`, put together from what the client wrote, as far as that is possible. */
export function envelopeText({ messages, text, isWhole, ...head }: TakenEnvelope): string {
  const first = messages[0]?.added
  const same = messages.every(({ added }) => added === first)
  const context = same ? first : messages.map(({ added }) => added ?? null)
  const written = JSON.stringify({ ...head, context }).slice(0, -1)
  if (text && isWhole) return `${written},"body":${text.whole}}`
  return `${written},"sent":[${messages.map(message => textOf(message, text)).join()}]}`
}

/** The message as JSON: in the client's own words, if they still hold. */
export function textOf({ raw, index, changed }: Pick<Taken, 'raw' | 'index' | 'changed'>, text?: BatchText): string {
  return (changed ? undefined : text?.message(index)) ?? jsonText(raw)
}
