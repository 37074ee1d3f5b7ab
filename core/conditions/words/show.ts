import { MAX_MISS } from '../limits.js'

/** Longest text of a value that is shown, in characters; values in a list; levels. */
const LONGEST_TEXT = 60
const LONGEST_VALUE = 100
const ENTRIES = 5
const LEVELS = 3

/** Returns a visitor's value as descriptions show it, bounded whatever its size: `missing`, `"FR"`, `[1, 2, …]`. */
export function show(value: unknown): string {
  return value === null || value === undefined ? 'missing' : cut(written(value, LEVELS), LONGEST_VALUE)
}

/** Returns a value that a condition asks for. */
export function showWanted(value: unknown): string {
  return value === null ? 'no value' : show(value)
}

/** Returns the values of a condition's list: `"a", "b", … (12 in all)`. */
export function showList(values: readonly unknown[]): string {
  const shown = values.slice(0, ENTRIES).map(value => written(value, 1))
  const more = values.length > ENTRIES ? `, … (${values.length} in all)` : ''
  return shown.join(', ') + more
}

/** Returns a text of at most `longest` characters, cut with an ellipsis. */
export function cut(text: string, longest = MAX_MISS): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`
}

function written(value: unknown, levels: number): string {
  if (typeof value === 'string') return JSON.stringify(cut(value, LONGEST_TEXT))
  if (typeof value !== 'object' || value === null) return String(value)
  if (levels === 0) return Array.isArray(value) ? '[…]' : '{…}'
  if (Array.isArray(value)) {
    const entries = value.slice(0, ENTRIES).map(entry => written(entry, levels - 1))
    return `[${entries.join(', ')}${value.length > ENTRIES ? ', …' : ''}]`
  }
  const shown: string[] = []
  for (const key in value) {
    if (shown.length === ENTRIES) return `{${shown.join(', ')}, …}`
    shown.push(
      `${JSON.stringify(cut(key, LONGEST_TEXT))}: ${written((value as Record<string, unknown>)[key], levels - 1)}`,
    )
  }
  return `{${shown.join(', ')}}`
}
