/** Bounds of what a profile's features take in memory, so that all of them together stay within their bytes. */
export interface Step {
  /** Bytes of the sessions of one user. The latest one stays. */
  sessions: number
  /** Bytes of a feature with keys or a list. */
  lists: number
  /** Bytes of any other feature: it holds nothing where it would have more. */
  others: number
  /** Users of one browser that are told apart. */
  users: number
}

/**
 * Users of one browser whose features are told apart: several times as many as a guard joins at once. Of more users
 * those of the smallest hashes are; what the others did is kept together, and belongs to none of the users.
 */
export const MAX_USERS_APART = 20

/**
 * Bytes that a profile's features take in memory at most, as `memoryOf` counts them, so that the profile can always be
 * stored. Where they would take more, they are narrowed.
 */
export const MAX_PROFILE_FEATURES_BYTES = 192 * 1024

/** 1,024 bytes. */
const KB = 1024

/** As much as there is. */
const ALL = Number.POSITIVE_INFINITY

/**
 * The steps that a profile is narrowed by, each leaving less than the one before. Old sessions go first: no value reads
 * them. Then what has many keys loses some of them, then users are no longer told apart. Features that can't be
 * narrowed, such as counts of windows, go last, the largest first. After the last step 240 features of a browser are
 * within the bytes.
 */
export const LADDER: readonly Step[] = [
  [ALL, ALL, ALL, MAX_USERS_APART] as const,
  ...[24, 12, 6].map(sessions => [sessions, ALL, ALL, MAX_USERS_APART] as const),
  ...[64, 48, 36, 28, 20, 14, 10].map(lists => [6, lists, ALL, MAX_USERS_APART] as const),
  [6, 10, ALL, 10] as const,
  [6, 6, ALL, 10] as const,
  [6, 6, ALL, 5] as const,
  [3, 3, ALL, 5] as const,
  [3, 3, ALL, 2] as const,
  [3, 2, 8, 0] as const,
  [2, 1, 4, 0] as const,
  [2, 0.5, 2, 0] as const,
  [2, 0.5, 1, 0] as const,
  [2, 0.25, 0.5, 0] as const,
  [2, 0.25, 0.25, 0] as const,
].map(([sessions, lists, others, users]) => ({
  sessions: sessions * KB,
  lists: lists * KB,
  others: others * KB,
  users,
}))
