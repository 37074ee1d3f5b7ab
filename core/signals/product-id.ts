import { type JsonObject, MAX_NAME_LENGTH } from '@slotstream/protocol'

/**
 * Returns the product that a message is about, as Segment's e-commerce specification names it; numbers are taken as
 * text.
 */
export function productIdOf(properties: JsonObject | undefined): string | undefined {
  const id = properties?.product_id ?? properties?.sku
  const text = typeof id === 'number' ? String(id) : id
  return typeof text === 'string' && text !== '' && text.length <= MAX_NAME_LENGTH ? text : undefined
}
