/**
 * Bounds of what a pattern remembers of one visitor. What is dropped at a bound follows from the messages alone, so
 * that every process drops the same.
 */

/** Sequences that have begun. Beyond it the one whose latest message is oldest is dropped, and yields nothing. */
export const MAX_RUNS = 32

/** Messages within the grace. Beyond it the oldest is taken as if its grace were over. */
export const MAX_PENDING = 64

/**
 * Keys that are counted, and messages of all of them. Beyond either the key whose latest message is oldest is dropped.
 */
export const MAX_WINDOWS = 16
export const MAX_WINDOW_MESSAGES = 512

/**
 * Messages of one key whose values are added up. Beyond it the two oldest become one with the time of the older, so
 * that a sum is never too large.
 */
export const MAX_AMOUNTS = 64

/** Signals that a late message may still refute, the latest. */
export const MAX_TOLD = 8

/** Browsers of a user that are told of a message, those of whom the user's partition heard last. */
export const MAX_TOLD_BROWSERS = 20

/**
 * Messages of a person's other visitors that are recognised when they are told again, the latest; of a telling of more,
 * all that came with it.
 */
export const MAX_HEARD = 64

/** Users of a browser, beside the first, whom patterns of persons tell apart. What others do there is of none. */
export const MAX_USERS = 20

/** Messages that are remembered because they would refute what arrives after them, the latest. */
export const MAX_REFUTERS = 12

/** Keys whose next signal is kept back, the latest. */
export const MAX_QUIET = 16

/** Keys that one message may have: the first different ones. */
export const MAX_KEYS_OF_MESSAGE = 8

/**
 * Longest key, value or id that is kept as it is, in bytes of its JSON. Of a longer one the first characters are kept,
 * as many as surely fit, and a hash of all.
 */
export const MAX_KEPT_BYTES = 96
export const KEPT_CHARACTERS = 13

/** Greatest number that is added up, and parts of 1 in which it is kept. */
export const MAX_AMOUNT = 1_000_000_000
export const AMOUNT_SCALE = 1_000_000

/** Time for which signals are remembered that may be refuted, in milliseconds: as long as repeats are recognised. */
export const TOLD_MS = 7 * 86_400_000

/** Lateness of a message, in milliseconds, up to which those that refute it and arrived before are still remembered. */
export const REFUTERS_MS = 86_400_000
