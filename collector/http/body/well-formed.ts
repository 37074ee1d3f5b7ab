const SUSPICIOUS = /\\u[dD][89a-fA-F]/

/** Any escape of JSON; pairs of surrogates are taken together, a lone one fills the group. */
const ESCAPES = /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\(u[dD][89a-fA-F][0-9a-fA-F]{2})|\\./g

/**
 * JSON text in which escaped lone surrogates (`"\ud800"`), which no UTF-8 can hold and the warehouse refuses, are
 * U+FFFD. Works on the text, so that no nesting is too deep for it; text without surrogates is returned as it is.
 */
export function wellFormed(json: string): string {
  // The plain search is far faster than the pattern, and finds nothing in most texts.
  if (!json.includes('\\u') || !SUSPICIOUS.test(json)) return json
  return json.replace(ESCAPES, (found, lone: string | undefined) => (lone ? '\\ufffd' : found))
}
