import { type Token, tokenizeCanonical } from '../guard/canonical/canonical-tokens.js'

/** Longest text of a row, in characters. */
const MAX_TEXT = 4_096
/** Names in quotes that are kept: anything else could be a text in the wrong quotes. */
const PLAIN_NAME = /^\w{1,64}$/

/** Gives a statement's shape: literals become `?`, lists of them `?..`. */
export function normalizedText(canonical: string): string {
  let text = ''
  let end = 0
  let previous = ''
  for (const token of tokenizeCanonical(canonical)) {
    const shown = shapeOf(token, canonical)
    const gap = canonical.slice(end, token.start)
    end = token.end
    // `1, 2, 3` is `?..`, however many there are.
    if (shown === '?' && previous === ',' && /(?:\?|\?\.\.),$/.test(text)) text = text.replace(/(?:\?\.\.|\?),$/, '?..')
    else text += gap + shown
    previous = token.text
    if (text.length > MAX_TEXT) return `${text.slice(0, MAX_TEXT)} …`
  }
  return text
}

function shapeOf(token: Token, canonical: string): string {
  if (token.kind === 'string' || token.kind === 'number') return '?'
  if (token.kind === 'quoted' && !PLAIN_NAME.test(token.text)) return '?'
  return canonical.slice(token.start, token.end)
}
