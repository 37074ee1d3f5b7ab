import type { MessageContext, SentEnvelope } from '@slotstream/protocol'

/** A message of a batch that was found good. */
export interface Taken {
  id: string
  /** Its JSON text: the client's own, if nothing in it had to be changed. */
  text: string
  /** What is added to its context. */
  added: MessageContext | undefined
}

/** What a visitor's messages in a batch make, before it is written. */
export interface TakenEnvelope extends Omit<SentEnvelope, 'context' | 'sent'> {
  messages: Taken[]
}

/** Some of an envelope's messages. The ledger stays with the last. */
export function partOf({ ledger, ...envelope }: TakenEnvelope, messages: Taken[]): TakenEnvelope {
  const hasLast = messages.at(-1) === envelope.messages.at(-1)
  return { ...envelope, messages, ...(ledger && hasLast ? { ledger } : {}) }
}

/** The JSON text of the `SentEnvelope`, put together from the messages' texts. */
export function envelopeText({ messages, ...head }: TakenEnvelope): string {
  const first = messages[0]?.added
  const same = messages.every(({ added }) => added === first)
  const context = same ? first : messages.map(({ added }) => added ?? null)
  return `${JSON.stringify({ ...head, context }).slice(0, -1)},"sent":[${messages.map(({ text }) => text).join()}]}`
}
