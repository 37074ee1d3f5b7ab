import { hash32 } from '@slotstream/protocol'

/** Facts of a content that models learn from. */
export interface ContentFacts {
  id: string
  category: string
  brand?: string
  tags?: readonly string[]
  price?: number
  /** Default: computed by `facetsOf` */
  facets?: Facets
}

/** Properties of a content as hashes of "name = value". */
export interface Facets {
  /** Hash of the content's id. */
  id: number
  /** Hash of its category: what is learned of a category also applies to new content. */
  category: number
  categoryName: string
  /** Hashes of brand, tags and price, which are not crossed with tokens. */
  others: number[]
}

/** Tags of a content that are used, at most: the first in alphabetical order. */
const MAX_TAGS = 4

/** Facets by content: hashing those of 200 candidates would take as long as the rest of a decision. */
const FACETS = new WeakMap<ContentFacts, Facets>()

/** Returns the facets of a content, computed once for each object, which must not be changed afterwards. */
export function facetsOf(content: ContentFacts): Facets {
  const cached = content.facets ?? FACETS.get(content)
  if (cached) return cached
  const facets = workOut(content)
  FACETS.set(content, facets)
  return facets
}

function workOut({ id, category, brand, tags, price }: ContentFacts): Facets {
  const others = [...new Set(tags)]
    .sort()
    .slice(0, MAX_TAGS)
    .map(tag => `tag\0${tag}`)
  if (brand !== undefined) others.push(`brand\0${brand}`)
  if (price !== undefined && Number.isFinite(price)) others.push(`price\0${octaveOf(price)}`)
  return {
    id: hash32(`content\0${id}`),
    category: hash32(`category\0${category}`),
    categoryName: category,
    others: others.map(hash32),
  }
}

function octaveOf(price: number): number {
  let octave = 0
  for (let end = 1; Math.abs(price) >= end && octave < 60; end *= 2) octave++
  return octave
}
