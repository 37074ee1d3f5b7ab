import { type ContentFacts, type Facets, facetsOf } from './facets.js'

/** Facets of a list of contents, prepared for predictions. */
export interface FacetTable {
  facets: readonly Facets[]
  /** For each content: the number of its category, from 0. */
  categoryOf: Int32Array
  /** Number of categories. */
  categories: number
  /** Of each content: the number of the name of its category among `names`. */
  nameOf: Int32Array
  names: readonly string[]
}

/** Tables by list, freed with it. */
const TABLES = new WeakMap<readonly ContentFacts[], FacetTable>()

/** Returns the facets of contents, computed once for each list object, which must not be changed afterwards. */
export function facetTableOf(contents: readonly ContentFacts[]): FacetTable {
  const cached = TABLES.get(contents)
  if (cached) return cached
  const facets = contents.map(facetsOf)
  const numbers = new Map<number, number>()
  const categoryOf = Int32Array.from(facets, ({ category }) => {
    const number = numbers.get(category) ?? numbers.size
    numbers.set(category, number)
    return number
  })
  // Apart from the numbers above: two names may have the same hash.
  const names = new Map<string, number>()
  const nameOf = Int32Array.from(facets, ({ categoryName }) => {
    const number = names.get(categoryName) ?? names.size
    names.set(categoryName, number)
    return number
  })
  const table = { facets, categoryOf, categories: numbers.size, nameOf, names: [...names.keys()] }
  TABLES.set(contents, table)
  return table
}
