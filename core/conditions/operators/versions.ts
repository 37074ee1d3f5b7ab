import { fault, type Operator, type Place } from '../compilation.js'
import type { Test } from '../condition.js'
import { MAX_VERSION } from '../limits.js'
import { show } from '../words/show.js'

/** Width of a number within a comparable version: any with so many digits sorts as it counts. */
const WIDTH = 20

/** `$veq`: the same version, whatever its build. */
export const versionEq: Operator = (operand, place) =>
  versionTest(operand, place, 'version', bound => version => version === bound)

/** `$vne` */
export const versionNe: Operator = (operand, place) => {
  const same = versionEq(operand, place)
  return same && { matches: value => !same.matches(value), expected: `not ${same.expected}` }
}

/** `$vlt` */
export const versionLt: Operator = (operand, place) =>
  versionTest(operand, place, 'a version before', bound => version => version < bound)

/** `$vlte` */
export const versionLte: Operator = (operand, place) =>
  versionTest(operand, place, 'a version of at most', bound => version => version <= bound)

/** `$vgt` */
export const versionGt: Operator = (operand, place) =>
  versionTest(operand, place, 'a version after', bound => version => version > bound)

/** `$vgte` */
export const versionGte: Operator = (operand, place) =>
  versionTest(operand, place, 'a version of at least', bound => version => version >= bound)

function versionTest(
  operand: unknown,
  place: Place,
  words: string,
  compare: (bound: string) => (version: string) => boolean,
): Test | undefined {
  if (typeof operand !== 'string' && typeof operand !== 'number')
    return fault(place, 'must be a version such as "1.2.3"')
  const bound = comparableVersion(operand)
  if (bound === undefined) return fault(place, `has more than the ${MAX_VERSION} characters that a version may have`)
  const passes = compare(bound)
  return {
    matches: value => {
      const version = comparableVersion(value)
      return version !== undefined && passes(version)
    },
    expected: `${words} ${show(operand)}`,
  }
}

/**
 * Returns a version as text that sorts as versions do (https://semver.org/#spec-item-11): numbers padded, a release
 * after its pre-releases, without build and leading `v`. What is no version is "0"; undefined is one that is too long.
 */
function comparableVersion(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' && value !== '' ? value : '0'
  if (text.length > MAX_VERSION) return undefined
  const [core = ''] = text.split('+', 1)
  const parts = core.replace(/^v/, '').split(/[-.]/)
  // Sorts behind all letters.
  if (parts.length === 3) parts.push('~')
  return parts.map(part => (/^\d+$/.test(part) ? part.padStart(WIDTH) : part)).join('-')
}
