import { type JsonObject, newestOfModels, type PlanSchemas } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'

const HEAD = `// Made from the tracking plan by \`npm run plan -- types\`. Change the schemas, not this file.

import type {} from 'slotstream'
`

const TAIL = `
declare module 'slotstream' {
  interface Events extends TrackingPlan {}
}
`

/** Names of events that may stand in a reference as they are; the others stand apart, under a name of their own. */
const PLAIN = /^[\w .-]+$/

/**
 * TypeScript in which `track` of the SDK takes the plan's events only, each with the properties of its newest version.
 * Events whose properties may be left out may be tracked without.
 */
export async function generateTypes(schemas: PlanSchemas): Promise<string> {
  const events = Object.entries(schemas).filter(([event]) => !event.startsWith('@'))
  if (events.length === 0)
    throw new CommandError('there is no track event in the plan, so there is nothing to make types of')
  const properties: JsonObject = {}
  const $defs: JsonObject = {}
  for (const [index, [event, versions]] of events.entries()) {
    const newest = newestOfModels(Object.keys(versions))[0]!
    const isPlain = PLAIN.test(event)
    const place = isPlain ? `#/properties/${event}` : `#/$defs/Event${index}`
    const schema = embedded(versions[newest]!, place, newest)
    if (!isPlain) $defs[`Event${index}`] = schema
    properties[event] = isPlain ? schema : { $ref: place }
  }
  const plan = {
    title: 'TrackingPlan',
    description: 'The events of the tracking plan and their properties.',
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
    $defs,
  }
  const { compile } = await converter()
  const body = await compile(plan as never, 'TrackingPlan', {
    // What a schema doesn't mention, it doesn't forbid; but a typing error in a name is what types are for.
    additionalProperties: false,
    bannerComment: HEAD,
    format: true,
    style: { semi: false, singleQuote: true, printWidth: 120 },
    unknownAny: true,
    $refOptions: { resolve: { external: false, file: false, http: false } } as never,
  })
  return `${body.trimEnd()}\n${TAIL}`
}

/** A development dependency: an installation that makes types has those. */
function converter(): Promise<typeof import('json-schema-to-typescript')> {
  return import('json-schema-to-typescript').catch(error => {
    throw new CommandError(`json-schema-to-typescript is not installed, run npm install (${error.message})`)
  })
}

/** An event's schema at its place in the plan: references lead there now, and the text names the version. */
function embedded(schema: JsonObject, place: string, version: string): JsonObject {
  const { $id: _id, $schema: _dialect, description, ...rest } = schema
  const text = typeof description === 'string' ? `${description}\n\n` : ''
  return { ...(move(rest, place) as JsonObject), description: `${text}Version ${version}.` }
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
