import type { JsonObject } from '@slotstream/protocol'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import addFormats, { type FormatName } from 'ajv-formats'
import { inspectSchema } from './inspect-schema.js'
import { linearPattern } from './linear-pattern.js'

/** The formats of the standard. The others of `ajv-formats` are left out: `url` takes seconds for some texts. */
const FORMATS: FormatName[] = [
  ...(['date', 'time', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'] as const),
  ...(['uri', 'uri-reference', 'uri-template', 'json-pointer', 'relative-json-pointer'] as const),
]

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** Whether data fits a schema; if not, `errors` says why, until the next call. */
export interface Validate {
  (data: unknown): boolean
  errors?: ErrorObject[] | null
}

/** A schema that can't be used. The message says where in it, and why. */
export class SchemaError extends Error {
  override name = 'SchemaError'
  readonly code = 'schema'
}

const strict = { strict: true, strictTypes: false, strictTuples: false, strictRequired: false, logger: false } as const

/** Compiles nothing but the standard's own schema, which takes tens of milliseconds, once. */
let checker: Ajv2020 | undefined

/**
 * Makes a function that compiles schemas. What ajv compiles it keeps for good: make a new one for each plan, so that it
 * goes when the plan goes.
 */
export function createSchemaCompiler(): (schema: JsonObject) => Validate {
  const ajv = new Ajv2020({ ...strict, validateSchema: false, code: { regExp: linear } })
  addFormats.default(ajv, FORMATS)

  /** @throws SchemaError */
  return schema => {
    const trouble = troubleOf(schema)
    if (trouble) throw new SchemaError(trouble)
    const { $id: _ours, $schema: _checked, ...rest } = schema
    try {
      const validate = ajv.compile(rest) as Validate
      // What refers to itself without end does so with any data.
      validate({})
      return validate
    } catch (error) {
      if (error instanceof RangeError) throw new SchemaError('it refers to itself without end')
      throw new SchemaError(error instanceof Error ? error.message : String(error))
    }
  }
}

function troubleOf(schema: JsonObject): string | undefined {
  const { $schema } = schema
  if ($schema !== undefined && $schema !== DIALECT && $schema !== `${DIALECT}#`)
    return `$schema is ${JSON.stringify($schema)}: only draft 2020-12 can be used, "${DIALECT}"`
  checker ??= new Ajv2020({ strict: false, logger: false })
  const { $id: _ours, $schema: _checked, ...rest } = schema
  if (!checker.validateSchema(rest)) {
    const { instancePath, keyword, params, message } = checker.errors![0]!
    const what = keyword === 'enum' ? `must be one of ${params.allowedValues.join(', ')}` : message
    return `${instancePath || 'the schema'} ${what}`
  }
  if (rest.type !== undefined && ![rest.type].flat().includes('object'))
    return 'it must have "type": "object", as properties and traits are'
  const trouble = inspectSchema(schema)
  return trouble && `${trouble.pointer || 'the schema'} ${trouble.what}`
}

function linear(pattern: string, _flags: string) {
  return linearPattern(pattern)
}
linear.code = 'linearPattern'
