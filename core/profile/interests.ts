import { MAX_NAME_LENGTH, type StoredMessage } from '@slotstream/protocol'

/** How much an event says about its category: the more it costs the visitor, the more. */
const WEIGHTS: ReadonlyMap<string, number> = new Map([
  ['Product List Viewed', 0.5],
  ['Product Viewed', 1],
  ['Product Clicked', 1],
  ['Slot Clicked', 1],
  ['Product Added', 3],
  ['Order Completed', 5],
])

const PAGE_WEIGHT = 0.5

/**
 * The categories a message shows interest in, with weights. They stand in `properties.category` and in the `category`
 * of each of `properties.products`, as in Segment's e-commerce spec; each counts once per message. A click on content of a
 * slot is about the content's category, which the collector puts into `context.content`.
 */
export function interestsOf(message: StoredMessage): [string, number][] {
  const weight = message.type === 'track' ? WEIGHTS.get(message.event ?? '') : pageWeight(message)
  if (weight === undefined || !message.properties) return []
  const { category = clickedCategory(message), products } = message.properties
  const categories = new Set([category, ...(Array.isArray(products) ? products.map(categoryOf) : [])])
  return [...categories].filter(isCategory).map(found => [found, weight])
}

function clickedCategory({ event, context }: StoredMessage): unknown {
  return event === 'Slot Clicked' ? categoryOf(context?.content) : undefined
}

function pageWeight(message: StoredMessage): number | undefined {
  return message.type === 'page' || message.type === 'screen' ? PAGE_WEIGHT : undefined
}

function categoryOf(product: unknown): unknown {
  return typeof product === 'object' && product !== null && 'category' in product ? product.category : undefined
}

function isCategory(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH
}
