/** Limits of one condition, so that none is expensive to check for any visitor. docs/conditions.md lists them. */

/** Deepest nesting of `$and`, `$or`, `$nor`, `$not`, `$elemMatch` and `$size`. */
export const MAX_CONDITION_DEPTH = 16

/** Most clauses: operators and values to be equal to, those within lists of `$all` and `$or` among them. */
export const MAX_CLAUSES = 200

/** Most clauses of the `candidates` of a slot: each is asked of all contents of the site. */
export const MAX_CANDIDATES_CLAUSES = 20

/** Most entries of a list of `$in`, `$nin`, `$ini`, `$nini`. */
export const MAX_LIST = 1_000

/** Longest text to compare with, in characters. */
export const MAX_TEXT = 1_024

/** Longest path, in characters. */
export const MAX_PATH = 512

/** Most values at all levels of an object or a list to be equal to. */
export const MAX_LITERAL_VALUES = 100

/** Most elements of a visitor's list that a clause looks at: the first ones. */
export const MAX_ELEMENTS = 1_000

/** Most patterns: each keeps up to 8 MB of what it has seen of texts. */
export const MAX_PATTERNS = 10

/** Longest pattern, in characters. */
export const MAX_PATTERN = 512

/** Most instructions of a compiled pattern; a character that repeats `{50}` times is 50. */
export const MAX_PATTERN_SIZE = 500

/** Longest text that a pattern looks at, in characters. A longer one does not match. */
export const MAX_PATTERN_TEXT = 1_024

/** Longest version, in characters. A longer one is not compared. */
export const MAX_VERSION = 256

/** Most faults that are reported of one condition. */
export const MAX_FAULTS = 100

/** Longest description of a clause that is not met, in characters. */
export const MAX_MISS = 300

/** Most values that are read along one path of a message. */
export const MAX_VALUES = 1_000
