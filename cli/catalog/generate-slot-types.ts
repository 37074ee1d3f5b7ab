import type { JsonObject, Slot } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import { compileTypes } from '../compile-types.js'

const HEAD = `// Made from the catalog by \`npm run catalog -- types\`. Change the slots, not this file.

import type {} from 'slotstream'
`

const TAIL = `
declare module 'slotstream' {
  interface Slots extends CatalogSlots {}
}
`

/** Schema of a slot that has none: any payload. */
const ANY_PAYLOAD: JsonObject = { type: 'object', additionalProperties: true }

/**
 * Returns the TypeScript in which `personalize`, `useSlot` and `<Slot>` of the SDK take the catalog's slots only, each
 * with the payload that its `schema` describes. A slot without a schema has payloads that must be looked into.
 */
export async function generateSlotTypes(slots: readonly Pick<Slot, 'id' | 'schema'>[]): Promise<string> {
  if (slots.length === 0)
    throw new CommandError('there is no slot in the catalog, so there is nothing to make types of')
  const sorted = [...slots].sort((a, b) => (a.id < b.id ? -1 : 1))
  return compileTypes({
    name: 'CatalogSlots',
    description: 'The slots of the catalog and the payloads of their content.',
    head: HEAD,
    tail: TAIL,
    fields: sorted.map(({ id, schema = ANY_PAYLOAD }) => ({
      name: id,
      schema,
      ...(typeof schema.description === 'string' && { description: schema.description }),
    })),
  })
}
