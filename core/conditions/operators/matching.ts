import { fault, type Operator, type Place } from '../compilation.js'
import type { Test } from '../condition.js'
import { MAX_PATTERN_TEXT, MAX_PATTERNS } from '../limits.js'
import { cut, show } from '../words/show.js'

/** `$regex`: a text, a number, true or false as text holds a match of the pattern. */
export const regex: Operator = (operand, place) => patternTest(operand, place, false)

/** `$regexi`: whatever the case of letters. */
export const regexInAnyCase: Operator = (operand, place) => patternTest(operand, place, true)

function patternTest(operand: unknown, place: Place, ignoresCase: boolean): Test | undefined {
  if (typeof operand !== 'string') return fault(place, 'must be a pattern')
  const { compilePattern } = place.compilation
  if (!compilePattern) return fault(place, 'is a pattern, which browsers do not evaluate')
  if (++place.compilation.patterns === MAX_PATTERNS + 1)
    fault(place, `is pattern ${MAX_PATTERNS + 1} of the condition, ${MAX_PATTERNS} are allowed`)
  // Not compiled any more: each takes its time.
  if (place.compilation.patterns > MAX_PATTERNS) return undefined
  try {
    const matches = compilePattern(operand, { ignoresCase })
    return {
      matches: value =>
        typeof value === 'string' ? value.length <= MAX_PATTERN_TEXT && matches(value) : matchesAsText(value, matches),
      expected: `a match of /${cut(operand, 100)}/${ignoresCase ? 'i' : ''}`,
    }
  } catch (error) {
    return fault(place, `pattern ${show(operand)} ${(error as Error).message}`)
  }
}

/** Numbers, true and false are matched as they are written. */
function matchesAsText(value: unknown, matches: (text: string) => boolean): boolean {
  return (typeof value === 'number' || typeof value === 'boolean') && matches(String(value))
}
