import type { JsonObject } from '@slotstream/protocol'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { createFindAll, type FindAll } from './find-all.js'
import { inspectSchema } from './inspect-schema.js'
import { makeAjv } from './make-ajv.js'
import { GIVEN_UP, MAX_WORK, withinWork } from './work.js'

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** Whether data fits a schema; if not, `errors` says the first reason, until the next call. */
export interface Validate {
  (data: unknown): boolean
  errors?: ErrorObject[] | null
  findAll: FindAll
}

/** A schema that can't be used. The message says where in it, and why. */
export class SchemaError extends Error {
  override name = 'SchemaError'
  readonly code = 'schema'
}

/** Compiles nothing but the standard's own schema, which takes tens of milliseconds, once. */
let checker: Ajv2020 | undefined

/**
 * Makes a function that compiles schemas. What ajv compiles it keeps for good: make a new one for each plan, so that it
 * goes when the plan goes.
 */
export function createSchemaCompiler(): (schema: JsonObject) => Validate {
  const ajv = makeAjv()

  /** @throws SchemaError */
  return schema => {
    const subschemas = subschemasIn(schema)
    const { $id: _ours, $schema: _checked, ...rest } = schema
    try {
      const validate: Validate = Object.assign(ajv.compile(rest), { findAll: createFindAll(rest, subschemas) })
      // What refers to itself without end does so with any data.
      withinWork(MAX_WORK, () => validate({}))
      return validate
    } catch (error) {
      if (error instanceof RangeError) throw new SchemaError(`it ${GIVEN_UP}`)
      throw new SchemaError(error instanceof Error ? error.message : String(error))
    }
  }
}

/**
 * Checks a schema, and yields how many schemas it holds.
 *
 * @throws SchemaError
 */
function subschemasIn(schema: JsonObject): number {
  const { $schema } = schema
  if ($schema !== undefined && $schema !== DIALECT && $schema !== `${DIALECT}#`)
    throw new SchemaError(`$schema is ${JSON.stringify($schema)}: only draft 2020-12 can be used, "${DIALECT}"`)
  checker ??= new Ajv2020({ strict: false, logger: false })
  const { $id: _ours, $schema: _checked, ...rest } = schema
  if (!checker.validateSchema(rest)) {
    const { instancePath, keyword, params, message } = checker.errors![0]!
    const what = keyword === 'enum' ? `must be one of ${params.allowedValues.join(', ')}` : message
    throw new SchemaError(`${instancePath || 'the schema'} ${what}`)
  }
  if (rest.type !== undefined && ![rest.type].flat().includes('object'))
    throw new SchemaError('it must have "type": "object", as properties and traits are')
  const inspected = inspectSchema(schema)
  if (inspected.trouble) throw new SchemaError(`${inspected.trouble.pointer || 'the schema'} ${inspected.trouble.what}`)
  return inspected.subschemas
}
