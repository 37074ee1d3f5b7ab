import type { BatchAnswer } from '@slotstream/protocol'
import type { Consent } from '../client/consent.js'
import type { Listeners } from '../platform/listeners.js'
import type { Message, SlotDecision } from '../types.js'

/** Details of the events for debuggers, by their names after `slotstream:`. */
export interface Details {
  captured: Message
  sent: { batchId: string; messageIds: string[]; bytes: number }
  acknowledged: { batchId: string } & Pick<BatchAnswer, 'accepted' | 'rejected' | 'violations'>
  retry: { batchId: string; attempt: number; delayMs: number; reason: string }
  /** The collector rejected these for good. */
  dropped: { reason: string; messageIds: string[] }
  decision: SlotDecision
  consent: Consent
  /** Faults inside the package, its plugins or middleware: errors, or texts and what they are about. */
  error: unknown[]
}

/** Something that happened, as an event for debuggers tells it. */
export type Happening = { [Name in keyof Details]: { name: Name; detail: Details[Name]; at: number } }[keyof Details]

const PREFIX = 'slotstream:'

/** Names of the events that tell of happenings. */
export const HAPPENINGS = (
  ['captured', 'sent', 'acknowledged', 'retry', 'dropped', 'decision', 'consent', 'error'] satisfies (keyof Details)[]
).map(name => PREFIX + name)

/** Reads an event; `at` is in milliseconds since the epoch. */
export function happeningOf({ type, detail, timeStamp }: CustomEvent): Happening {
  return { name: type.slice(PREFIX.length), detail, at: performance.timeOrigin + timeStamp } as Happening
}

/** Tells of everything that is remembered, in order, then of everything that happens. */
export function follow(
  recent: CustomEvent[],
  { on }: Pick<Listeners, 'on'>,
  tell: (happening: Happening, event: Event) => void,
): void {
  // As values, because the list has gaps after it was emptied.
  for (const event of Object.values(recent).sort((a, b) => a.timeStamp - b.timeStamp))
    if (HAPPENINGS.includes(event.type)) tell(happeningOf(event), event)
  for (const type of HAPPENINGS) on(window, type, event => tell(happeningOf(event as CustomEvent), event))
}
