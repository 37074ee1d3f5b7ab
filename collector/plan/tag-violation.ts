import type { Violation } from '@slotstream/protocol'

/**
 * Writes into a message how it breaks the plan, in place. What the client wrote there goes in any case.
 *
 * @returns whether the message was changed
 */
export function tagViolation(message: Record<string, unknown>, violation: Violation | undefined): boolean {
  const context = (message.context ?? {}) as Record<string, unknown>
  if (violation) {
    const { problems: _told, ...tag } = violation
    message.context = { ...context, violation: tag }
  } else if (context.violation !== undefined) {
    const { violation: _claimed, ...rest } = context
    message.context = rest
  } else return false
  return true
}
