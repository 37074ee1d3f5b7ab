import type { JsonObject } from '@slotstream/protocol'
import isEqual from 'fast-deep-equal'
import { compareAssertions } from './compare-assertions.js'
import { expandSchema, type Schema } from './expand-schema.js'

/** Effect of a change on messages that fitted before, in the sense of SchemaVer. */
export type Step =
  /** All still fit. */
  | 'addition'
  /** Some may not fit any more. */
  | 'revision'
  /** None fits any more. */
  | 'model'

/** One difference between two schemas. */
export interface Change {
  step: Step
  /** Where in the properties: `price`, `products[].sku`; empty for the whole. */
  path: string
  what: string
}

/**
 * Tells what changed from one schema to the next. Structure is compared property by property; of what can't be
 * compared, it says so and takes it for a revision.
 *
 * A new optional property of an object that allows others counts as an addition, although a message may have carried
 * something else under this name: it was no property of the plan then.
 */
export function compareSchemas(before: JsonObject, after: JsonObject): Change[] {
  return compare(expandSchema(before), expandSchema(after), '', true)
}

/** @param always whether every message that fitted before has something here */
function compare(before: Schema, after: Schema, path: string, always: boolean): Change[] {
  if (isEqual(before, after)) return []
  const end: Step = always ? 'model' : 'revision'
  if (after === false) return [{ step: end, path, what: 'is not allowed any more' }]
  if (before === false) return [{ step: 'addition', path, what: 'is allowed now' }]
  return [
    ...compareAssertions(before, after).map(({ step, what }) => ({ step: step === 'end' ? end : step, path, what })),
    ...compareProperties(before, after, path, always),
    ...compare(schemaIn(before.items), schemaIn(after.items), `${path}[]`, false),
  ]
}

function compareProperties(before: JsonObject, after: JsonObject, path: string, always: boolean): Change[] {
  const [olds, nows] = [objectIn(before.properties), objectIn(after.properties)]
  const [neededBefore, needed] = [new Set(listIn(before.required)), new Set(listIn(after.required))]
  const [othersBefore, others] = [schemaIn(before.additionalProperties), schemaIn(after.additionalProperties)]
  const changes: Change[] = []

  for (const name of new Set([...Object.keys(olds), ...Object.keys(nows), ...neededBefore, ...needed])) {
    const at = path === '' ? name : `${path}.${name}`
    const add = (step: Step, what: string) => changes.push({ step, path: at, what })
    const [isOld, isNow] = [Object.hasOwn(olds, name), Object.hasOwn(nows, name)]
    const isNew = !isOld && !neededBefore.has(name)
    if (isNew && needed.has(name)) add(always ? 'model' : 'revision', 'is new and needed')
    else if (isNew) add('addition', 'is new, optional')
    if (isNew) continue
    if (needed.has(name) && !neededBefore.has(name)) add('revision', 'is needed now')
    if (!needed.has(name) && neededBefore.has(name)) add('addition', 'is optional now')
    const [old, now] = [isOld ? schemaIn(olds[name]) : othersBefore, isNow ? schemaIn(nows[name]) : others]
    if (isOld && !isNow && isOpen(now)) add('addition', 'is not described any more')
    else changes.push(...compare(old, now, at, always && neededBefore.has(name)))
  }

  const at = path === '' ? 'others' : `${path}: others`
  if (others === false && othersBefore !== false)
    changes.push({ step: 'revision', path: at, what: 'are not allowed any more' })
  else changes.push(...compare(othersBefore, others, at, false))
  return changes
}

function schemaIn(value: unknown): Schema {
  return value === undefined || value === true ? {} : (value as Schema)
}

function objectIn(value: unknown): JsonObject {
  return (value ?? {}) as JsonObject
}

function listIn(value: unknown): string[] {
  return (value ?? []) as string[]
}

function isOpen(others: Schema): boolean {
  return others !== false && Object.keys(others).length === 0
}
