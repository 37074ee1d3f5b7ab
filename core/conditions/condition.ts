/** Reads a path of attributes. Called once per path when a condition is compiled; its result once per evaluation. */
export type PathReader = (path: string) => (attributes: unknown) => unknown

/** A compiled condition. */
export interface Condition {
  matches(attributes: unknown): boolean
  /**
   * Describes the clauses that are not met: `context.country is "FR", wanted "DE"`. Empty when it matches. One entry a
   * clause; an `$or` of which nothing holds is one clause. Each has at most `MAX_MISS` characters.
   */
  misses(attributes: unknown): string[]
  /** Counts the entries of `misses` without their text. */
  countMisses(attributes: unknown): number
  /** Paths that it reads, each once, in the order of the condition. Those within `$elemMatch` are not among them. */
  readonly paths: readonly string[]
}

/**
 * Compiles a regular expression to a test of texts.
 *
 * @throws Error that says what is wrong with it
 */
export type CompilePattern = (pattern: string, options: { ignoresCase: boolean }) => (text: string) => boolean

export interface CompileOptions {
  /** Default: `readPath`, which takes dots for levels. */
  read?: PathReader
  /** Name of the condition in faults. Default `condition`. */
  path?: string
  /** Says what is wrong with a path where this condition is used, or with what is asked of it. Default: nothing is. */
  checkPath?: (path: string, operand: unknown) => string | undefined
  /** Returns whether a path holds times, which are compared as such. Default: none does. */
  isTime?: (path: string) => boolean
  /** Most clauses. Default `MAX_CLAUSES` */
  maxClauses?: number
  /** Lists that `$inGroup` and `$notInGroup` name. Default: none. */
  groups?: Readonly<Record<string, readonly unknown[]>>
}

/** Result of compiling: each fault is a line that begins with its path, and `reason` has all lines. */
export type Compiled<T> = { ok: true; value: T } | { ok: false; reason: string; faults: string[] }

/** Test of one value. A missing value is null, never undefined. */
export interface Test {
  matches(value: unknown): boolean
  /** Words for what it tests, as they follow "wanted": `at least 2`. */
  readonly expected: string
}

/** Part of a condition. */
export interface Clause {
  matches(attributes: unknown): boolean
  /** Adds a description of each clause that is not met. */
  addMisses(attributes: unknown, misses: string[]): void
  countMisses(attributes: unknown): number
  /** Describes that it holds although it must not. */
  unwanted(attributes: unknown): string
  /** Words for what it tests: `context.country "DE"`. */
  readonly words: string
}
