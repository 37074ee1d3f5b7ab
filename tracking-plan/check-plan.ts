import {
  byteLength,
  type Check,
  isObject,
  type JsonObject,
  MAX_NAME_LENGTH,
  MAX_PLAN_BYTES,
  MAX_PLAN_SCHEMAS,
  MAX_SCHEMA_BYTES,
  NO_PLAN,
  PLAN_MODES,
  PLANNED_CALLS,
  type PlanSchemas,
  parseSchemaVersion,
  type TrackingPlan,
} from '@slotstream/protocol'

/** A plan as it is uploaded, without the mode if that is to stay. */
export type UploadedPlan = Pick<TrackingPlan, 'schemas'> & Partial<TrackingPlan>

/** Checks the form of an uploaded plan, and its limits; what the schemas say is the compiler's to check. */
export function checkPlan(raw: Record<string, unknown>): Check<UploadedPlan> {
  const settings = checkPlanSettings(raw)
  if (!settings.ok) return settings
  const { schemas } = raw
  if (!isObject(schemas)) return no('schemas must be an object: {"<event>": {"<version>": schema}}')
  const filled: PlanSchemas = {}
  let count = 0
  for (const [event, versions] of Object.entries(schemas)) {
    const trouble = eventTrouble(event, versions)
    if (trouble) return no(trouble)
    count += Object.keys(versions as object).length
    if (count > MAX_PLAN_SCHEMAS) return no(`the plan has more than ${MAX_PLAN_SCHEMAS} schemas`)
    if (Object.keys(versions as object).length > 0) filled[event] = versions as Record<string, JsonObject>
  }
  const bytes = byteLength(JSON.stringify(filled))
  if (bytes > MAX_PLAN_BYTES)
    return no(`the plan has ${bytes} bytes, ${MAX_PLAN_BYTES} are allowed: take out versions that are no longer sent`)
  return { ok: true, value: { ...settings.value, schemas: filled } }
}

/** Parses a plan as the bucket has it. */
export function parsePlan(raw: unknown): Check<TrackingPlan> {
  if (!isObject(raw)) return no('a plan must be a JSON object')
  const checked = checkPlan(raw)
  if (!checked.ok) return checked
  const { mode, unplanned, schemas } = checked.value
  if (mode === undefined) return no(`mode must be one of ${PLAN_MODES.join(', ')}`)
  return { ok: true, value: { mode, unplanned: unplanned ?? NO_PLAN.unplanned, schemas } }
}

/** Checks a plan's mode and what unplanned events are, those that are given. */
export function checkPlanSettings({ mode, unplanned }: Record<string, unknown>): Check<Partial<TrackingPlan>> {
  const settings: Partial<TrackingPlan> = {}
  if (mode !== undefined) {
    if (!PLAN_MODES.includes(mode as TrackingPlan['mode'])) return no(`mode must be one of ${PLAN_MODES.join(', ')}`)
    settings.mode = mode as TrackingPlan['mode']
  }
  if (unplanned !== undefined) {
    if (unplanned !== 'allow' && unplanned !== 'violation') return no('unplanned must be "allow" or "violation"')
    settings.unplanned = unplanned
  }
  return { ok: true, value: settings }
}

function eventTrouble(event: string, versions: unknown): string | undefined {
  if (event === '' || event.length > MAX_NAME_LENGTH || event.includes('\0') || event === '__proto__')
    return `an event's name must be text of 1 to ${MAX_NAME_LENGTH} characters`
  if (event.startsWith('@') && !(PLANNED_CALLS as readonly string[]).includes(event))
    return `"${event}" is no call that can be planned: there are ${PLANNED_CALLS.join(', ')}`
  if (!isObject(versions)) return `the schemas of "${event}" must be an object: {"1-0-0": schema}`
  for (const [version, schema] of Object.entries(versions)) {
    if (!parseSchemaVersion(version))
      return `${event}: "${version}" is no version: it must be MODEL-REVISION-ADDITION, such as 1-0-0`
    if (!isObject(schema)) return `${event} ${version}: a schema must be a JSON object`
    const bytes = byteLength(JSON.stringify(schema))
    if (bytes > MAX_SCHEMA_BYTES)
      return `${event} ${version}: the schema has ${bytes} bytes, ${MAX_SCHEMA_BYTES} are allowed`
  }
  return undefined
}

function no(reason: string): { ok: false; reason: string } {
  return { ok: false, reason }
}
