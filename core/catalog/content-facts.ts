import type { Content } from '@slotstream/protocol'
import { facetsOf } from '../learning/features/facets.js'
import type { EligibleContent } from '../policies/proposal.js'

/** Tags of a content that policies see. */
const MAX_TAGS = 100

/** Facts that were made: features of content are worked out once for each object. */
const FACTS = new WeakMap<Content, EligibleContent>()

/**
 * Returns what policies see of a content, always the same object. What is of another type than it should be is left
 * out.
 */
export function factsOf(content: Content): EligibleContent {
  const cached = FACTS.get(content)
  if (cached) return cached
  const { id, category, brand, tags, price, weight } = content as Record<keyof Content, unknown> & { id: string }
  const facts: EligibleContent = { id, category: typeof category === 'string' ? category : '' }
  if (typeof brand === 'string') facts.brand = brand
  if (Array.isArray(tags)) facts.tags = tags.slice(0, MAX_TAGS).filter(tag => typeof tag === 'string')
  if (typeof price === 'number') facts.price = price
  if (typeof weight === 'number' && Number.isFinite(weight)) facts.weight = weight
  facts.facets = facetsOf(facts)
  FACTS.set(content, facts)
  return facts
}
