import { type ContentFacts, type Facets, facetsOf } from './facets.js'

/** Contents of a list as predictions go through them. */
export interface FacetTable {
  facets: readonly Facets[]
  /** Of each content: the number of its category. */
  categoryOf: Int32Array
  /** How many categories there are. */
  categories: number
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
  const table = { facets, categoryOf, categories: numbers.size }
  TABLES.set(contents, table)
  return table
}
