import { RE2JS } from 're2js'
import type { CompilePattern } from '../condition.js'
import { MAX_PATTERN, MAX_PATTERN_SIZE } from '../limits.js'
import { literalPattern } from './literal-pattern.js'

/** Counted repetition, `{3}` or `{2,5}`: each is so many copies of what it repeats. */
const REPETITION = /\{(\d+)(?:,(\d*))?\}/g

/** Text whose letters have one other case, that which `toLowerCase` takes. */
const ASCII = /^\p{ASCII}*$/u

/**
 * Compiles a pattern whose time grows with the text and not faster, whatever the pattern: RE2, which has neither
 * look-ahead nor back references (https://github.com/google/re2/wiki/Syntax).
 *
 * @throws Error that says what is wrong with the pattern
 */
export const compilePattern: CompilePattern = (pattern, { ignoresCase }) => {
  if (pattern.length > MAX_PATTERN) throw new Error(`has ${pattern.length} characters, ${MAX_PATTERN} are allowed`)
  const literal = literalPattern(ignoresCase ? pattern.toLowerCase() : pattern)
  if (literal !== undefined && !ignoresCase) return literal
  const engine = compileRe2(pattern, ignoresCase)
  const test = (text: string) => engine.test(text)
  // Letters such as the Kelvin sign are a case of ASCII's to the engine.
  return literal === undefined ? test : text => (ASCII.test(text) ? literal(text.toLowerCase()) : test(text))
}

function compileRe2(pattern: string, ignoresCase: boolean): RE2JS {
  const copies = [...pattern.matchAll(REPETITION)].reduce((sum, [, least, most]) => sum + Number(most || least), 0)
  // Before it is compiled, which would take seconds.
  if (copies > MAX_PATTERN_SIZE) throw new Error(`repeats ${copies} times, ${MAX_PATTERN_SIZE} are allowed`)
  let engine: RE2JS
  try {
    engine = RE2JS.compile(RE2JS.translateRegExp(pattern), ignoresCase ? RE2JS.CASE_INSENSITIVE : 0)
  } catch (error) {
    throw new Error(error instanceof Error ? error.message : String(error))
  }
  const size = engine.programSize()
  if (size > MAX_PATTERN_SIZE)
    throw new Error(`has ${size} instructions, ${MAX_PATTERN_SIZE} are allowed: make it shorter`)
  return engine
}
