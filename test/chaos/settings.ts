/** Settings of a run: CHAOS_SEED repeats what went wrong in an earlier one, CHAOS_SECONDS makes it longer. */
export const seed = Number(process.env.CHAOS_SEED || Date.now() % 1_000_000)

/** How long things go wrong, in seconds, in each of the two tests. Default 80: three minutes for both. */
export const seconds = Number(process.env.CHAOS_SECONDS || 80)

/** A test's time limit, in milliseconds: the storm, then as long as all that is waited for may take together. */
export const timeLimitMs = seconds * 1000 + 800_000
