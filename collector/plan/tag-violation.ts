import type { StoredMessage, Violation } from '@slotstream/protocol'

/** Writes into a message how it breaks the plan, in place. What the client wrote there goes in any case. */
export function tagViolation(message: StoredMessage, violation: Violation | undefined): void {
  if (violation) message.context = { ...message.context, violation }
  else if (message.context?.violation !== undefined) {
    const { violation: _claimed, ...context } = message.context
    message.context = context
  }
}
