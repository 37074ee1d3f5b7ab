import { isObject } from '../wire/checks/is-object.js'
import { MAX_ATTRIBUTION_HOURS } from '../wire/limits.js'
import { ATTRIBUTION_RULES, type AttributionRule } from './catalog.js'

const FIELDS = ['rule', 'windowHours']

/**
 * Says what is wrong with a slot's `attribution`, in which either field may be left out; undefined when it is right.
 */
export function attributionTrouble(raw: unknown): string | undefined {
  if (!isObject(raw)) return 'attribution must be an object such as {"rule": "lastClick", "windowHours": 24}'
  const unknown = Object.keys(raw).find(field => !FIELDS.includes(field))
  if (unknown !== undefined) return `attribution.${unknown} is not known: give rule and windowHours`
  const { rule, windowHours } = raw
  if (rule !== undefined && !isAttributionRule(rule))
    return `attribution.rule must be one of ${ATTRIBUTION_RULES.join(', ')}`
  if (windowHours !== undefined && !isWindow(windowHours))
    return `attribution.windowHours must be a whole number from 1 to ${MAX_ATTRIBUTION_HOURS}`
  return undefined
}

/** Tells whether a value is the attribution of a decision, with nothing left out. */
export function isAttribution(raw: unknown): boolean {
  return isObject(raw) && isAttributionRule(raw.rule) && isWindow(raw.windowHours)
}

function isAttributionRule(value: unknown): value is AttributionRule {
  return ATTRIBUTION_RULES.includes(value as AttributionRule)
}

function isWindow(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_ATTRIBUTION_HOURS
}
