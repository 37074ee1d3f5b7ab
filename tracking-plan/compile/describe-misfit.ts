import type { ErrorObject } from 'ajv/dist/2020.js'
import { jsonPath, pointerKeys, valueAt } from './json-path.js'

/** Longest list of allowed values in a reason, in characters. */
const MAX_ALLOWED = 200

/** Where data does not fit a schema, as JSONPath, and why. */
export interface Misfit {
  path: string
  reason: string
}

/**
 * Describes a fault that ajv found to the message's sender: where it is and what to do.
 *
 * @param errors as ajv left them, not empty
 * @param root name of the part of the message that was checked, `properties` or `traits`
 */
export function describeMisfit(errors: ErrorObject[], data: unknown, root: string): Misfit {
  return describeError(tellingOf(errors), data, root)
}

/** Describes one of ajv's errors: see `describeMisfit`. */
export function describeError(error: ErrorObject, data: unknown, root: string): Misfit {
  const keys = pointerKeys(error.instancePath, data)
  const what = describe(error, valueAt(data, keys))
  const path = jsonPath([root, ...keys, ...what.beyond])
  return { path, reason: `${path.slice(2)} ${what.text}` }
}

/** Returns the error that says most: of alternatives, that none fits; of a condition, what followed from it. */
function tellingOf(errors: ErrorObject[]): ErrorObject {
  const last = errors.at(-1)!
  return (last.keyword === 'if' && errors.at(-2)) || last
}

function describe({ keyword, params, message }: ErrorObject, value: unknown): { text: string; beyond: string[] } {
  const here = (text: string) => ({ text, beyond: [] })
  switch (keyword) {
    case 'required':
    case 'dependentRequired':
      return { text: 'is missing', beyond: [params.missingProperty] }
    case 'additionalProperties':
      return { text: 'is not in the schema, which allows no others', beyond: [params.additionalProperty] }
    case 'unevaluatedProperties':
      return { text: 'is not in the schema, which allows no others', beyond: [params.unevaluatedProperty] }
    case 'propertyNames':
      return { text: 'has a name that the schema does not allow', beyond: [params.propertyName] }
    case 'type':
      return here(`must be ${[params.type].flat().join(' or ')}, not ${typeName(value)}`)
    case 'enum':
      return here(`must be one of ${cut(JSON.stringify(params.allowedValues.slice(0, MAX_ALLOWED)).slice(1, -1))}`)
    case 'const':
      return here(`must be ${cut(JSON.stringify(params.allowedValue))}`)
    case 'false schema':
      return here('is not allowed')
    default:
      return here(message ?? `breaks "${keyword}"`)
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value
}

function cut(text: string): string {
  return text.length > MAX_ALLOWED ? `${text.slice(0, MAX_ALLOWED)}…` : text
}
