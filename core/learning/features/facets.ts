import { hash32 } from '@slotstream/protocol'

/** Facts of a content that models learn from. */
export interface ContentFacts {
  id: string
  category: string
  brand?: string
  tags?: readonly string[]
  price?: number
  /** Worked out beforehand. Default: `facetsOf` works them out */
  facets?: Facets
}

/** What a content is, as numbers that stand for "name = value". */
export interface Facets {
  /** Of the content itself. */
  id: number
  /** Of its category: what is learned of it holds for new content, too. */
  category: number
  categoryName: string
  /** Of brand, tags and price, without crosses. */
  others: number[]
}

/** Tags of a content that count. */
const MAX_TAGS = 4

/** Facets that have been worked out: hashing those of 200 candidates would take as long as all else of a decision. */
const KNOWN = new WeakMap<ContentFacts, Facets>()

/** Returns the facets of a content, which must not be changed afterwards: they are worked out once for each object. */
export function facetsOf(content: ContentFacts): Facets {
  const cached = content.facets ?? KNOWN.get(content)
  if (cached) return cached
  const facets = workOut(content)
  KNOWN.set(content, facets)
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
