import { MAX_TRAIT_VALUES, MAX_TRAITS_BYTES } from '../limits.js'

/**
 * Returns what is too large about a message's traits; undefined when nothing is. Its nesting must have been checked.
 * Values are counted beside the bytes, because `[],[],[]` is many times as large in memory as it is as text.
 */
export function traitsTrouble(traits: object): string | undefined {
  const values = countValues(traits, MAX_TRAIT_VALUES + 1)
  if (values > MAX_TRAIT_VALUES) return `traits hold more than the ${MAX_TRAIT_VALUES} values that a message may have`
  const bytes = utf8Length(JSON.stringify(traits))
  if (bytes <= MAX_TRAITS_BYTES) return undefined
  return `traits have ${bytes} bytes, ${MAX_TRAITS_BYTES} are allowed: send what describes the person, not what they did`
}

/** Counts values at all levels, lists and objects among them, as far as `most`. */
function countValues(value: object, most: number): number {
  let count = 0
  for (const child of Object.values(value)) {
    count += typeof child === 'object' && child !== null ? 1 + countValues(child, most - count) : 1
    if (count >= most) return count
  }
  return count
}

function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    // Halves of a pair take two bytes each.
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1
  }
  return bytes
}
