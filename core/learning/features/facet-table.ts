import { type ContentFacts, type Facets, facetsOf } from './facets.js'

/** Contents of a list as predictions go through them. */
export interface FacetTable {
  facets: readonly Facets[]
  /** Of each content: the number of its category. */
  categoryOf: Int32Array
  /** How many categories there are. */
  categories: number
  /** Of each content: the number of the name of its category among `names`. */
  nameOf: Int32Array
  names: readonly string[]
}

/** Tables of lists that were asked for already. They go when their lists do. */
const TABLES = new WeakMap<readonly ContentFacts[], FacetTable>()

/** Returns the facets of contents, worked out once for each list, which must not be changed afterwards. */
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
