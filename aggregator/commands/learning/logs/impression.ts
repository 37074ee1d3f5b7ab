/** One item that was shown, and what it earned, as a log has it. */
export interface Impression {
  contentId: string
  /** Rank on the page, from 1. */
  position: number
  /** Time when it was shown, in milliseconds since the epoch. */
  at: number
  /** Gain from it. */
  reward: number
  /** The request's context, as far as the log has it: texts, numbers and booleans by name. */
  context: Record<string, string | number | boolean>
}

/** A log that cannot be read. The message names the line. */
export class LogError extends Error {
  override name = 'LogError'
  readonly code = 'log'
}

/** Reads lines of one kind of log, one by one. */
export interface LineReader {
  /**
   * Returns the items of a line; none of a line that says nothing of what was shown.
   *
   * @throws LogError
   */
  read(line: string): Impression[]
}
