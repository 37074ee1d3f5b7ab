import { RE2JS } from 're2js'

/**
 * A regular expression whose time grows with the text and not faster: patterns come from the plan, but the texts come
 * from visitors, and one of 30 characters keeps the usual engine busy for hours if the pattern is careless. What can't be
 * done that way, looking around and back-references, is refused.
 *
 * @throws Error naming the pattern and what is wrong with it
 */
export function linearPattern(pattern: string): { test(text: string): boolean } {
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern))
    return { test: text => compiled.matcher(text).find() }
  } catch (error) {
    throw new Error(`pattern "${pattern}": ${error instanceof Error ? error.message : error}`)
  }
}
