import type { Properties } from '../../types.js'

/** Marks that name an event themselves, rather than a property of one. */
const NAMES = ['track', 'trackView']

/**
 * Reads the properties of a marked element: `data-track-product_id="p1"` is `product_id`, `data-track-list-name="x"` is
 * `listName`.
 */
export function propertiesOf({ dataset }: HTMLElement): Properties {
  const properties: Properties = {}
  for (const [key, value] of Object.entries(dataset))
    if (key.startsWith('track') && !NAMES.includes(key)) properties[key[5]!.toLowerCase() + key.slice(6)] = value
  return properties
}
