import { type JsonObject, parseSchemaVersion, type SchemaVersion, sortedVersions } from '@slotstream/protocol'
import { type Change, compareSchemas, type Step } from './compare-schemas.js'

/** From one version of an event to the next. */
export interface VersionStep {
  from: string
  to: string
  /** The change that the number announces. */
  claimed: Step
  /** The change between the schemas; undefined when they differ in nothing that matters. */
  actual: Step | undefined
  changes: Change[]
  /** The version's right name; absent when it has that. */
  callIt?: string
}

const RANKS: Step[] = ['addition', 'revision', 'model']

/** Compares each version of an event with the one before it. A number may say more than the change is, never less. */
export function checkVersions(versions: Record<string, JsonObject>): VersionStep[] {
  const sorted = sortedVersions(Object.keys(versions))
  return sorted.slice(1).map((to, index) => {
    const from = sorted[index]!
    const changes = compareSchemas(versions[from]!, versions[to]!)
    const actual = RANKS.findLast(step => changes.some(change => change.step === step))
    const claimed = stepBetween(parseSchemaVersion(from)!, parseSchemaVersion(to)!)
    const step: VersionStep = { from, to, claimed, actual, changes }
    if (actual && RANKS.indexOf(actual) > RANKS.indexOf(claimed)) step.callIt = nextVersion(from, actual)
    return step
  })
}

function stepBetween(from: SchemaVersion, to: SchemaVersion): Step {
  if (from.model !== to.model) return 'model'
  return from.revision === to.revision ? 'addition' : 'revision'
}

function nextVersion(from: string, step: Step): string {
  const { model, revision, addition } = parseSchemaVersion(from)!
  if (step === 'model') return `${model + 1}-0-0`
  return step === 'revision' ? `${model}-${revision + 1}-0` : `${model}-${revision}-${addition + 1}`
}
