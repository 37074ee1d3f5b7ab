import { isDeepStrictEqual } from 'node:util'
import type { PlanSchemas } from '@slotstream/protocol'

/** Changes that a push would make: each as `<event> <version>`. */
export interface Difference {
  added: string[]
  changed: string[]
  removed: string[]
}

/** Compares the schemas of two plans, event by event and version by version. */
export function difference(before: PlanSchemas, after: PlanSchemas): Difference {
  const [old, now] = [flat(before), flat(after)]
  return {
    added: [...now.keys()].filter(name => !old.has(name)),
    changed: [...now]
      .filter(([name, schema]) => old.has(name) && !isDeepStrictEqual(old.get(name), schema))
      .map(([name]) => name),
    removed: [...old.keys()].filter(name => !now.has(name)),
  }
}

/** Versions of both; where both have one, the second's. */
export function merged(schemas: PlanSchemas, other: PlanSchemas): PlanSchemas {
  const all = { ...schemas }
  for (const [event, versions] of Object.entries(other)) all[event] = { ...all[event], ...versions }
  return all
}

function flat(schemas: PlanSchemas): Map<string, unknown> {
  return new Map(
    Object.entries(schemas).flatMap(([event, versions]) =>
      Object.entries(versions).map(([version, schema]) => [`${event} ${version}`, schema] as const),
    ),
  )
}
