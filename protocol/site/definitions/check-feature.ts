import { isObject } from '../../wire/checks/is-object.js'
import { MAX_NAME_LENGTH } from '../../wire/limits.js'
import { type DefinitionField, fieldFaults, isMisspelt, shown, unknownFields } from './faults.js'
import { AGGREGATE_RULES, FEATURE_FIELDS, isSpan } from './feature-fields.js'
import type { AggregateName } from './features.js'

/** Events that a source may name, and the greatest weight of one. */
export const MAX_SOURCE_EVENTS = 50
export const MAX_EVENT_WEIGHT = 1_000_000

const FIELDS = Object.keys(FEATURE_FIELDS)
const SOURCE_FIELDS = ['event', 'events', 'where']
const OFF_FIELDS: Record<string, DefinitionField> = {
  name: FEATURE_FIELDS.name!,
  off: { form: 'true, or left out', isFit: value => value === true, meaning: '' },
}

/**
 * Returns one line for each fault of a feature, naming the field by its path. Whether its condition can be used is not
 * looked at.
 *
 * @param path of the feature, such as `features[2]`
 */
export function featureFaults(raw: unknown, path: string): string[] {
  if (!isObject(raw)) return [`${path}: must be an object, not ${shown(raw)}`]
  if (Object.hasOwn(raw, 'off')) return fieldFaults(raw, OFF_FIELDS, path)
  return [
    ...fieldFaults(raw, FEATURE_FIELDS, path),
    ...sourceFaults(raw.source, raw.aggregate, `${path}.source`),
    ...fitFaults(raw, path),
    ...contentFaults(raw, path),
  ]
}

/** Lists fields that do not fit together. */
function fitFaults(raw: Record<string, unknown>, path: string): string[] {
  const { aggregate, value, window, halfLife, tumbling } = raw
  const rules = ruleOf(aggregate)
  const faults: string[] = []
  if (rules?.value === 'needed' && value === undefined && !isMisspelt(raw, 'value', FIELDS))
    faults.push(`${path}.value: is missing, ${aggregate} needs a path such as properties.price`)
  if (rules?.value === 'none' && value !== undefined)
    faults.push(`${path}.value: ${aggregate} reads no value, leave it out`)
  if (halfLife !== undefined && window !== undefined)
    faults.push(`${path}.halfLife: stands in place of window, leave one of them out`)
  if (halfLife !== undefined && rules && !rules.isWeighted)
    faults.push(`${path}.halfLife: goes with count and sum only, not with ${aggregate}`)
  if (tumbling === true && !isSpan(window)) faults.push(`${path}.tumbling: goes with a duration as window only`)
  if (raw.public === true && !isOfSession(raw))
    faults.push(`${path}.public: browsers know the present session only, so window must be "session", or leave it out`)
  return faults
}

function isOfSession({ window, halfLife, entity }: Record<string, unknown>): boolean {
  return halfLife === undefined && (window === 'session' || entity === 'session')
}

/** Aggregates that features of content have: sums of what visitors in all partitions did. */
const OF_CONTENT = ['count', 'sum']

/** Lists what a feature of content cannot have. */
function contentFaults({ entity, aggregate, window }: Record<string, unknown>, path: string): string[] {
  if (entity !== 'content') return []
  const faults: string[] = []
  if (ruleOf(aggregate) && !OF_CONTENT.includes(aggregate as string))
    faults.push(`${path}.aggregate: features of content are sums, ${OF_CONTENT.join(' or ')}, not ${shown(aggregate)}`)
  if (window === 'session') faults.push(`${path}.window: content has no sessions, choose a duration or lifetime`)
  return faults
}

function sourceFaults(source: unknown, aggregate: unknown, path: string): string[] {
  if (!isObject(source)) return []
  const { event, events, where } = source
  const faults = unknownFields(source, SOURCE_FIELDS, path)
  if (where !== undefined && !isObject(where))
    faults.push(`${path}.where: must be a condition, such as {"properties.price": {"$gt": 10}}, not ${shown(where)}`)
  if (event !== undefined && events !== undefined)
    return [...faults, `${path}.events: stands in place of event, leave one of them out`]
  if (events !== undefined) return [...faults, ...eventsFaults(events, aggregate, `${path}.events`)]
  const isNamed = event !== undefined || !['event', 'events'].some(name => isMisspelt(source, name, SOURCE_FIELDS))
  if (isNamed && !isEventName(event))
    faults.push(
      `${path}.event: must be an event's name, a type such as page, or "*" for any message, not ${shown(event)}`,
    )
  return faults
}

function eventsFaults(events: unknown, aggregate: unknown, path: string): string[] {
  const entries = isObject(events) ? Object.entries(events) : []
  if (entries.length === 0 || entries.length > MAX_SOURCE_EVENTS)
    return [`${path}: must be an object of 1 to ${MAX_SOURCE_EVENTS} events with their weights, {"Product Viewed": 1}`]
  const rules = ruleOf(aggregate)
  return entries.flatMap(([name, weight]) => {
    const at = `${path}[${shown(name)}]`
    if (!isEventName(name)) return [`${at}: must be an event's name of at most ${MAX_NAME_LENGTH} characters`]
    if (!isWeight(weight))
      return [`${at}: must be a number other than 0, of at most ${MAX_EVENT_WEIGHT}, not ${shown(weight)}`]
    if (rules && !rules.isWeighted && weight !== 1) return [`${at}: weights count with count and sum only, give it 1`]
    return []
  })
}

function ruleOf(aggregate: unknown) {
  return typeof aggregate === 'string' && Object.hasOwn(AGGREGATE_RULES, aggregate)
    ? AGGREGATE_RULES[aggregate as AggregateName]
    : undefined
}

function isEventName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH && value !== '__proto__'
}

function isWeight(value: unknown): boolean {
  return typeof value === 'number' && value !== 0 && Math.abs(value) <= MAX_EVENT_WEIGHT
}
