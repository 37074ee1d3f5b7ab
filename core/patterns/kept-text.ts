import { byteLength, hash32 } from '@slotstream/protocol'
import type { PathValue } from '../conditions/message-paths.js'
import { KEPT_CHARACTERS, MAX_KEPT_BYTES } from './bounds.js'

/** Returns the text by which values are compared: numbers as they are written, so that 7 and "7" are the same. */
export function comparedText(value: PathValue): string {
  return keptText(String(value))
}

/** Characters that take one byte in JSON. */
const PLAIN = /^[ !#-[\]-~]*$/

/** Characters of a text that fits whatever they are: each takes up to six bytes in JSON. */
const SURELY_SHORT = Math.floor((MAX_KEPT_BYTES - 2) / 6)

function isShort(text: string): boolean {
  return PLAIN.test(text) || byteLength(JSON.stringify(text)) <= MAX_KEPT_BYTES
}

/**
 * Returns a text as states keep it: itself, or the beginning of a long one with a hash. Equal texts are kept equally.
 */
export function keptText(text: string): string {
  if (text.length <= SURELY_SHORT || (text.length <= MAX_KEPT_BYTES - 2 && isShort(text))) return text
  // Half of a pair at the cut could not be stored.
  return `${text.slice(0, KEPT_CHARACTERS).replace(/[\uD800-\uDBFF]$/, '')}…${hash32(text).toString(36)}`
}
