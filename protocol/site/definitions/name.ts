const NAME = /^[A-Za-z0-9_-]{1,100}$/

/** Description of a permitted name, as it follows "must be". */
export const NAME_FORM = 'text of 1 to 100 letters, digits, "_" and "-"'

/** Tells whether a value names a feature, a pattern or a segment. */
export function isDefinitionName(value: unknown): value is string {
  // It becomes a field of objects that hold one value for each name.
  return typeof value === 'string' && NAME.test(value) && value !== '__proto__'
}
