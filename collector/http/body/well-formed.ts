import { INTEGER_MARK } from '@slotstream/protocol'

const SUSPICIOUS = /\\u(?:[dD][89a-fA-F]|[fF][dD][dD]0)/

/** Any escape of JSON; pairs of surrogates are taken together, a lone one or the mark fills the group. */
const ESCAPES =
  /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\(u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|[fF][dD][dD]0))|\\./g

/**
 * Returns JSON text in which escaped lone surrogates (`"\ud800"`), which no UTF-8 can hold and the warehouse refuses,
 * are U+FFFD, and so is the mark of whole numbers, by which a client's text would become a number behind all checks.
 * Works on the text, so that no nesting is too deep for it; text without them is returned as it is.
 */
export function wellFormed(json: string): string {
  const unmarked = json.includes(INTEGER_MARK) ? json.replaceAll(INTEGER_MARK, '\ufffd') : json
  // The plain search is far faster than the pattern, and finds nothing in most texts.
  if (!unmarked.includes('\\u') || !SUSPICIOUS.test(unmarked)) return unmarked
  return unmarked.replace(ESCAPES, (match, lone: string | undefined) => (lone ? '\\ufffd' : match))
}
