/** A command that can't go on, for a reason the person at the keyboard can settle. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly code = 'command'
}
