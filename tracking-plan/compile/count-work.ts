import { _, type Ajv2020, type Code, type KeywordCxt } from 'ajv/dist/2020.js'
import { spendWork } from './work.js'

/** Work of a keyword, in units, as an expression of the data that it is applied to. */
type Cost = (context: KeywordCxt) => Code

const length = (value: unknown): number =>
  Array.isArray(value) ? value.length : typeof value === 'object' && value !== null ? Object.keys(value).length : 1

const perEntry: Cost = ({ schema }) => _`${1 + length(schema)}`
const perValue: Cost = ({ schema }) => _`${1 + Math.ceil(length(schema) / 16)}`
const perItem: Cost = ({ data }) => _`1 + ${data}.length`
const perCharacters: Cost = ({ data }) => _`1 + ${data}.length / 8`
const perPair: Cost = ({ data }) => _`1 + ${data}.length * ${data}.length / 2`
const perKey: Cost = ({ data }) => _`1 + Object.keys(${data}).length`
const perKeyAndPattern: Cost = ({ data, parentSchema }) =>
  _`1 + Object.keys(${data}).length * ${1 + length(parentSchema.patternProperties ?? [])}`

/**
 * Keywords that visit other schemas or go through values. Everything else that a schema asks of a value takes about as
 * long as being visited.
 */
const COSTS = new Map<string, Cost>([
  ...['$ref', 'not', 'if'].map(keyword => [keyword, () => _`1`] as const),
  ...['anyOf', 'oneOf', 'allOf', 'properties', 'required', 'prefixItems'].map(keyword => [keyword, perEntry] as const),
  ...['dependentRequired', 'dependentSchemas', 'dependencies'].map(keyword => [keyword, perEntry] as const),
  ...['enum', 'const'].map(keyword => [keyword, perValue] as const),
  ...['items', 'contains', 'unevaluatedItems'].map(keyword => [keyword, perItem] as const),
  ...['pattern', 'format', 'minLength', 'maxLength'].map(keyword => [keyword, perCharacters] as const),
  ['uniqueItems', perPair],
  ['propertyNames', perKey],
  ...['patternProperties', 'additionalProperties', 'unevaluatedProperties'].map(
    keyword => [keyword, perKeyAndPattern] as const,
  ),
])

/**
 * Lets the checks that an ajv compiles count their work, see `withinWork`. How often a schema that refers to itself is
 * visited depends on the message: alternatives multiply with each level, whatever the schema's size.
 */
export function countWork(ajv: Ajv2020): void {
  for (const { type, rules } of ajv.RULES.rules)
    for (const rule of rules) {
      const { keyword, definition } = rule
      const cost = COSTS.get(keyword)
      if (!cost || !('code' in definition)) continue
      // Formats of numbers have no length; there are none here.
      if (keyword === 'format' && type !== 'string') continue
      rule.definition = {
        ...definition,
        code(context, ruleType) {
          const spend = context.gen.scopeValue('func', { ref: spendWork })
          context.gen.code(_`${spend}(${cost(context)})`)
          definition.code(context, ruleType)
        },
      }
    }
}
