/** A replay that can't go on, for a reason the person at the keyboard can settle. */
export class ReplayError extends Error {
  override name = 'ReplayError'
  readonly code = 'replay'
}
