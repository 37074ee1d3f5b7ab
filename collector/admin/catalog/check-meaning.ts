import {
  BUILT_IN,
  contentConditionFaults,
  namesInUse,
  payloadFaults,
  schemaSlotsOf,
  slotConditionFaults,
  takerOf,
  type Vocabulary,
} from '@slotstream/core'
import type { Content, JsonObject, Slot } from '@slotstream/protocol'
import { createSlices } from '@slotstream/runtime'
import { compilePayloadSchema } from '@slotstream/tracking-plan'
import type { DefinitionStore } from '../definitions/definition-store.js'
import type { Target } from './store/changes.js'
import { type CatalogState, usableOf } from './store/state.js'

/** Compiled schemas that are kept for the next change. */
const MAX_SCHEMAS = 100

/** Contents that are told of a schema that they do not fit. */
const MAX_MISFITS = 10

/** A fault of an item that is put. */
export interface MeaningFault {
  target: Target
  line: string
}

/**
 * Checks what slots and contents mean, beside their form: conditions that can't be used, names of features, segments
 * and signals that there are not, payloads that do not fit the schemas of their slots.
 *
 * @param state the catalog as it will be
 */
export type CheckMeaning = (siteId: string, state: CatalogState, targets: readonly Target[]) => Promise<MeaningFault[]>

/** Creates the check. */
export function createCheckMeaning(definitions: Pick<DefinitionStore, 'read'>): CheckMeaning {
  const compiled = new Map<string, ReturnType<typeof compilePayloadSchema>>()

  function compile(schema: JsonObject) {
    const text = JSON.stringify(schema)
    const checked = compiled.get(text) ?? compilePayloadSchema(schema)
    if (compiled.size >= MAX_SCHEMAS) compiled.clear()
    compiled.set(text, checked)
    return checked
  }

  return async (siteId, state, targets) => {
    const pauseIfLong = createSlices()
    const vocabulary = targets.some(hasCondition) ? await vocabularyOf(definitions, siteId) : undefined
    const faults: MeaningFault[] = []
    const putsContent = targets.some(({ kind, after }) => kind === 'content' && after !== undefined)
    const withSchema = putsContent ? schemaSlotsOf(await usableOf<Slot>(state, 'slot'), compile) : []
    for (const target of targets) {
      await pauseIfLong()
      const { kind, after } = target
      if (after === undefined) continue
      const lines =
        kind === 'slot'
          ? await slotFaults(after as Slot, vocabulary, compile, state, targets)
          : [...contentConditionFaults(after as Content, vocabulary), ...payloadFaults(after as Content, withSchema)]
      faults.push(...lines.map(line => ({ target, line })))
    }
    return faults
  }
}

function hasCondition({ after }: Target): boolean {
  return after !== undefined && ('where' in after || 'campaigns' in after)
}

async function vocabularyOf(definitions: Pick<DefinitionStore, 'read'>, siteId: string): Promise<Vocabulary> {
  const [features, patterns, segments] = await Promise.all([
    definitions.read(siteId, 'features'),
    definitions.read(siteId, 'patterns'),
    definitions.read(siteId, 'segments'),
  ])
  return namesInUse({ features: features.items, patterns: patterns.items, segments: segments.items }, BUILT_IN)
}

async function slotFaults(
  slot: Slot,
  vocabulary: Vocabulary | undefined,
  compile: (schema: JsonObject) => ReturnType<typeof compilePayloadSchema>,
  state: CatalogState,
  targets: readonly Target[],
): Promise<string[]> {
  const faults = slotConditionFaults(slot, vocabulary)
  if (slot.schema === undefined) return faults
  const schema = compile(slot.schema)
  if (!schema.ok) return [...faults, `schema: ${schema.reason}`]
  // Those that are put are told by their own names.
  const put = new Set(targets.flatMap(({ kind, id }) => (kind === 'content' ? [id] : [])))
  const misfits: string[] = []
  const takes = takerOf(slot)
  for (const content of await usableOf<Content>(state, 'content')) {
    if (put.has(content.id) || !takes(content)) continue
    const trouble = schema.value(content.payload)
    if (trouble !== undefined) misfits.push(`schema: content ${content.id} does not fit: ${trouble}`)
    if (misfits.length >= MAX_MISFITS) break
  }
  return [...faults, ...misfits]
}
