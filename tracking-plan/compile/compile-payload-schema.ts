import type { Check, JsonObject } from '@slotstream/protocol'
import { createSchemaCompiler, SchemaError } from './compile-schema.js'
import { describeMisfit } from './describe-misfit.js'
import { GIVEN_UP, MAX_WORK, withinWork } from './work.js'

/** Says why a payload does not fit its slot's schema; undefined when it does. */
export type PayloadTrouble = (payload: object) => string | undefined

/**
 * Compiles the schema of a slot's payloads, by the rules and limits of tracking plans: patterns take linear time,
 * references stay in the schema, and each `$ref` is counted.
 */
export function compilePayloadSchema(schema: JsonObject): Check<PayloadTrouble> {
  try {
    const validate = createSchemaCompiler()(schema)
    return { ok: true, value: payload => troubleOf(payload, validate) }
  } catch (error) {
    if (error instanceof SchemaError) return { ok: false, reason: error.message }
    throw error
  }
}

function troubleOf(payload: object, validate: ReturnType<ReturnType<typeof createSchemaCompiler>>): string | undefined {
  try {
    return withinWork(MAX_WORK, () => validate(payload))
      ? undefined
      : describeMisfit(validate.errors!, payload, 'payload').reason
  } catch (error) {
    if (error instanceof RangeError) return `payload: its schema ${GIVEN_UP}`
    throw error
  }
}
