import { MAX_MODEL_ITEMS } from '@slotstream/core'

/**
 * Browsers that must have had to do with an item that is not in the site's catalog: a single one can invent any number.
 */
export const LEAST_BROWSERS = 3

/** An item, and the browsers that had to do with it. */
export interface CountedItem {
  item: string
  browsers: number
}

/**
 * Returns the items that a matrix is for, with the number of each: those of the catalog first, then others that enough
 * browsers had to do with, in the order in which they were found.
 *
 * @param counted those that most browsers had to do with first
 * @param catalog ids of the site's contents
 */
export function chooseItems(
  counted: readonly CountedItem[],
  catalog: ReadonlySet<string>,
  most = MAX_MODEL_ITEMS,
): Map<string, number> {
  const ofCatalog = counted.filter(({ item }) => catalog.has(item))
  const others = counted.filter(({ item, browsers }) => !catalog.has(item) && browsers >= LEAST_BROWSERS)
  return new Map([...ofCatalog, ...others].slice(0, most).map(({ item }, number) => [item, number]))
}
