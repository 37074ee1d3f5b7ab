import { _, Ajv2020, type Options, str } from 'ajv/dist/2020.js'
import addFormats, { type FormatName } from 'ajv-formats'
import { countWork } from './count-work.js'
import { isMultipleOf } from './is-multiple-of.js'
import { linearPattern } from './linear-pattern.js'

/** The formats of the standard. The others of `ajv-formats` are left out: `url` takes seconds for some texts. */
const FORMATS: FormatName[] = [
  ...(['date', 'time', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'] as const),
  ...(['uri', 'uri-reference', 'uri-template', 'json-pointer', 'relative-json-pointer'] as const),
]

const strict = { strict: true, strictTypes: false, strictTuples: false, strictRequired: false, logger: false } as const

/**
 * Makes an ajv for schemas of plans, which were checked before: with formats, linear patterns and decimal multiples.
 * Its checks count their work.
 */
export function makeAjv(options: Options = {}): Ajv2020 {
  const ajv = new Ajv2020({ ...strict, validateSchema: false, code: { regExp: linear }, ...options })
  addFormats.default(ajv, FORMATS)
  ajv.removeKeyword('multipleOf')
  ajv.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    validate: (step: number, value: number) => isMultipleOf(value, step),
    errors: false,
    error: {
      message: ({ schemaCode }) => str`must be multiple of ${schemaCode}`,
      params: ({ schemaCode }) => _`{multipleOf: ${schemaCode}}`,
    },
  })
  countWork(ajv)
  return ajv
}

function linear(pattern: string, _flags: string) {
  return linearPattern(pattern)
}
linear.code = 'linearPattern'
