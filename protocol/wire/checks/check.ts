/** Result of checking a value of unknown origin: the value in its type, or why it is none. */
export type Check<T> = { ok: true; value: T } | { ok: false; reason: string }
