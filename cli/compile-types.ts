import type { JsonObject } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'

/** An interface of the SDK's types that is made of JSON Schemas. */
export interface TypesOfSchemas {
  /** Name of the interface that is generated, and the description above it. */
  name: string
  description: string
  /** Text before and after it. */
  head: string
  tail: string
  /** Its fields, each with a schema and a description of its own, if any. */
  fields: { name: string; schema: JsonObject; description?: string }[]
}

/** Names of fields that may be in a reference as they are; the others are apart, under a name of their own. */
const PLAIN = /^[\w .-]+$/

/**
 * Generates TypeScript of JSON Schemas: an interface with a field for each.
 *
 * @throws CommandError when the development dependency that does it is missing
 */
export async function compileTypes({ name, description, head, tail, fields }: TypesOfSchemas): Promise<string> {
  const properties: JsonObject = {}
  const $defs: JsonObject = {}
  for (const [index, field] of fields.entries()) {
    const isPlain = PLAIN.test(field.name)
    const place = isPlain ? `#/properties/${field.name}` : `#/$defs/Field${index}`
    const schema = embedded(field.schema, place, field.description)
    if (!isPlain) $defs[`Field${index}`] = schema
    properties[field.name] = isPlain ? schema : { $ref: place }
  }
  const whole = {
    title: name,
    description,
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
    $defs,
  }
  const { compile } = await converter()
  const body = await compile(whole as never, name, {
    // What a schema doesn't mention, it doesn't forbid; but a typing error in a name is what types are for.
    additionalProperties: false,
    bannerComment: head,
    format: true,
    style: { semi: false, singleQuote: true, printWidth: 120 },
    unknownAny: true,
    $refOptions: { resolve: { external: false, file: false, http: false } } as never,
  })
  return `${body.trimEnd()}\n${tail}`
}

/** A development dependency: an installation that makes types has those. */
function converter(): Promise<typeof import('json-schema-to-typescript')> {
  return import('json-schema-to-typescript').catch(error => {
    throw new CommandError(`json-schema-to-typescript is not installed, run npm install (${error.message})`)
  })
}

/** Returns a schema at its place in the whole: references lead there now. */
function embedded(schema: JsonObject, place: string, description: string | undefined): JsonObject {
  const { $id: _id, $schema: _dialect, description: _own, ...rest } = schema
  return { ...(move(rest, place) as JsonObject), ...(description && { description }) }
}

function move(value: unknown, place: string): unknown {
  if (Array.isArray(value)) return value.map(entry => move(entry, place))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      key === '$ref' && typeof entry === 'string' && entry.startsWith('#')
        ? place + entry.slice(1)
        : move(entry, place),
    ]),
  )
}
