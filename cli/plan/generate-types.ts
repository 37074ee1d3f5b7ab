import { newestOfModels, type PlanSchemas } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import { compileTypes } from '../compile-types.js'

const HEAD = `// Made from the tracking plan by \`npm run plan -- types\`. Change the schemas, not this file.

import type {} from 'slotstream'
`

const TAIL = `
declare module 'slotstream' {
  interface Events extends TrackingPlan {}
}
`

/**
 * Returns the TypeScript in which `track` of the SDK takes the plan's events only, each with the properties of its
 * newest version. Events whose properties may be left out may be tracked without.
 */
export async function generateTypes(schemas: PlanSchemas): Promise<string> {
  const events = Object.entries(schemas).filter(([event]) => !event.startsWith('@'))
  if (events.length === 0)
    throw new CommandError('there is no track event in the plan, so there is nothing to make types of')
  return compileTypes({
    name: 'TrackingPlan',
    description: 'The events of the tracking plan and their properties.',
    head: HEAD,
    tail: TAIL,
    fields: events.map(([name, versions]) => {
      const newest = newestOfModels(Object.keys(versions))[0]!
      const schema = versions[newest]!
      const text = typeof schema.description === 'string' ? `${schema.description}\n\n` : ''
      return { name, schema, description: `${text}Version ${newest}.` }
    }),
  })
}
