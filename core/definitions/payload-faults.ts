import type { Content, JsonObject, Slot } from '@slotstream/protocol'
import { takerOf } from '../catalog/candidates.js'

/** A slot with a schema that its contents' payloads must fit. */
export interface SchemaSlot {
  slotId: string
  takes: (content: Content) => boolean
  /** Says what is wrong with a payload; undefined when nothing is. */
  troubleOf: (payload: object) => string | undefined
}

type CompileSchema = (schema: JsonObject) => { ok: true; value: SchemaSlot['troubleOf'] } | { ok: false }

/**
 * Returns the slots that have a schema, which is compiled when a content is checked by it. One that does not compile is
 * left to the check of its slot.
 */
export function schemaSlotsOf(slots: Iterable<Slot>, compile: CompileSchema): SchemaSlot[] {
  return [...slots].flatMap(slot => {
    const { id, schema } = slot
    if (!schema) return []
    let compiled: ReturnType<CompileSchema> | undefined
    const troubleOf = (payload: object) => {
      compiled ??= compile(schema)
      return compiled.ok ? compiled.value(payload) : undefined
    }
    return [{ slotId: id, takes: takerOf(slot), troubleOf }]
  })
}

/** Returns one line for each slot that takes a content and whose schema its payload does not fit. */
export function payloadFaults(content: Content, slots: readonly SchemaSlot[]): string[] {
  return slots.flatMap(({ slotId, takes, troubleOf }) => {
    const trouble = takes(content) ? troubleOf(content.payload) : undefined
    return trouble === undefined ? [] : [`${trouble} (schema of slot ${slotId})`]
  })
}
