import { RE2JS } from 're2js'
import { spendWork } from './work.js'

/** A literal or a class of characters, in ASCII. */
const ATOM = String.raw`(?:[\w @:#=-]|\\[dDwW.+*?/$()]|\[\^?(?:[\w .,:;@#%&/_+-]|\\[dwDW.\-/])+\])`
const FIXED = String.raw`(?:${ATOM}(?:\{\d{1,3}\})?)*`

/**
 * Patterns that the usual engine, which is ten times as fast, can't be slowed down with: bound to the start, without
 * alternatives, and at most one part of varying length, so that there is one way at most to go back.
 */
const HARMLESS = new RegExp(String.raw`^\^${FIXED}(?:${ATOM}(?:[*+?]|\{\d{1,3},\d{0,3}\})${FIXED})?\$?$`)

/**
 * Compiles a regular expression whose time grows with the text and not faster: patterns come from the plan, but the
 * texts come from visitors, and one of 30 characters keeps the usual engine busy for hours if the pattern is careless.
 * What can't be done that way, looking around and back-references, is rejected.
 *
 * @throws Error naming the pattern and what is wrong with it
 */
export function linearPattern(pattern: string): { test(text: string): boolean } {
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern))
    return (HARMLESS.test(pattern) && native(pattern)) || { test: slowly(compiled) }
  } catch (error) {
    throw new Error(`pattern "${pattern}": ${error instanceof Error ? error.message : error}`)
  }
}

/** Takes work for each character: this engine needs some ten times as long as the usual one. */
function slowly(pattern: RE2JS): (text: string) => boolean {
  return text => {
    spendWork(1 + text.length)
    return pattern.matcher(text).find()
  }
}

/** Undefined for what the two engines don't both understand. */
function native(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u')
  } catch {
    return undefined
  }
}
