import type { Content } from '@slotstream/protocol'
import { facetsOf } from '../learning/features/facets.js'
import type { EligibleContent } from '../policies/proposal.js'

/** Tags of a content that policies see, at most. */
const MAX_TAGS = 100

/** Facts by content: the same object is returned again, by which models cache. */
const FACTS = new WeakMap<Content, EligibleContent>()

/**
 * Returns the facts of a content that policies see; the same object for the same content. Fields of a wrong type are
 * left out.
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
