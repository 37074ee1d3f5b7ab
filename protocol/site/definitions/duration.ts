const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Up to eight digits: a hundred million days are still a number of milliseconds that is exact. */
const DURATION = /^(0|[1-9]\d{0,7})([smhd])$/

/** Returns the milliseconds of a duration, such as `30s`, `5m`, `24h` or `7d`; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = DURATION.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS]
}

/** A duration as people write it: `24H`, `5 min`, `2 days`. */
const LOOSE = /^(\d{1,8}) *(s(?:ecs?|econds?)?|m(?:ins?|inutes?)?|h(?:rs?|ours?)?|d(?:ays?)?)$/i

/** Guesses the duration that a text is meant for; undefined where it is like none. */
export function guessDuration(text: string): string | undefined {
  const [, count, unit] = LOOSE.exec(text.trim()) ?? []
  return count === undefined ? undefined : `${Number(count)}${unit![0]!.toLowerCase()}`
}
