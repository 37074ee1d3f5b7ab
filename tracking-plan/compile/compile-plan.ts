import {
  type JsonObject,
  newestOfModels,
  OWN_EVENTS,
  type PlanMode,
  plannedName,
  type StoredMessage,
  sortedVersions,
  type TrackingPlan,
  type Violation,
} from '@slotstream/protocol'
import { createSchemaCompiler, SchemaError, type Validate } from './compile-schema.js'
import { describeError, describeMisfit } from './describe-misfit.js'
import { createWorkPool, GIVEN_UP, type WorkPool, withinPool } from './work.js'

/** A site's tracking plan, ready to check messages. */
export interface CompiledPlan {
  mode: PlanMode
  /**
   * Returns how a message breaks the plan; undefined when it keeps to it. One that takes too much work to check breaks
   * it.
   *
   * @param pool of the message's request. Default: the message is alone
   */
  check(message: StoredMessage, pool?: WorkPool): Violation | undefined
  /**
   * Adds to a violation what else of the message breaks the plan, up to `MAX_PROBLEMS` things in all. Costs more than
   * the check: for few messages of a request.
   */
  explain(message: StoredMessage, violation: Violation): Violation
  /** Compiled schemas, by text, so that the next plan needs to compile only what is new. */
  compiled: ReadonlyMap<string, Validate>
}

/** Schemas of a plan that can't be used: a line for each, with event, version, where and why. */
export class PlanError extends Error {
  override name = 'PlanError'
  readonly code = 'plan'

  constructor(readonly problems: string[]) {
    super(`${problems.length} of the plan's schemas cannot be used: ${problems[0]}`)
  }
}

/** Things wrong with a message that are told one by one; further ones are counted. */
export const MAX_PROBLEMS = 10

interface Version {
  version: string
  validate: Validate
}

interface PlannedEvent {
  /** The newest of each model, newest model first. */
  newest: Version[]
  all: Map<string, Version>
}

/**
 * Compiles a plan.
 *
 * @param before the plan it replaces
 * @param nextTurn is awaited before each schema: where requests are answered meanwhile, it lets the event loop go on.
 *   Default: all schemas are compiled in one go
 * @throws PlanError
 */
export async function compilePlan(
  plan: TrackingPlan,
  before?: CompiledPlan,
  nextTurn?: () => Promise<unknown>,
): Promise<CompiledPlan> {
  const compile = createSchemaCompiler()
  const compiled = new Map<string, Validate>()
  const problems: string[] = []
  const events = new Map<string, PlannedEvent>()
  const compileInTurn = async (schema: JsonObject) => {
    await nextTurn?.()
    return compile(schema)
  }
  for (const [event, versions] of Object.entries(plan.schemas)) {
    const all = new Map<string, Version>()
    for (const version of sortedVersions(Object.keys(versions))) {
      const schema = versions[version]!
      const text = JSON.stringify(schema)
      try {
        const validate = compiled.get(text) ?? before?.compiled.get(text) ?? (await compileInTurn(schema))
        compiled.set(text, validate)
        all.set(version, { version, validate })
      } catch (error) {
        if (!(error instanceof SchemaError)) throw error
        problems.push(`${event} ${version}: ${error.message}`)
      }
    }
    const newest = newestOfModels(all.keys()).map(version => all.get(version)!)
    if (newest.length > 0) events.set(event, { newest, all })
  }
  if (problems.length > 0) throw new PlanError(problems)
  return {
    mode: plan.mode,
    check: (message, pool) => safely(message, pool, () => check(message, events, plan.unplanned)),
    explain: (message, violation) => explain(message, violation, events),
    compiled,
  }
}

/** A check may have no end for some messages only: theirs is the trouble, not the whole request's. */
function safely(
  message: StoredMessage,
  pool = createWorkPool(),
  work: () => Violation | undefined,
): Violation | undefined {
  try {
    return withinPool(pool, work)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const reason = `the schema of ${nameOf(message)} ${GIVEN_UP} (for this message)`
    return { code: 'schema_violation', reason, path: '$', schemaVersion: '' }
  }
}

function check(
  message: StoredMessage,
  events: Map<string, PlannedEvent>,
  unplanned: TrackingPlan['unplanned'],
): Violation | undefined {
  const planned = events.get(plannedName(message))
  if (!planned) return unplanned === 'violation' ? unplannedTrack(message) : undefined
  const isAbout = partOf(message)
  const data = message[isAbout] ?? {}
  const version = message.context?.schemaVersion
  if (version !== undefined) {
    const named = typeof version === 'string' ? planned.all.get(version) : undefined
    if (!named) return unknownVersion(version, planned)
    return named.validate(data) ? undefined : misfit(named, data, isAbout, message)
  }
  for (const { validate } of planned.newest) if (validate(data)) return undefined
  // What is told is why it isn't the newest.
  const [newest] = planned.newest
  newest!.validate(data)
  return misfit(newest!, data, isAbout, message)
}

/** Returns the part of a message that schemas describe. */
function partOf({ type }: StoredMessage): 'traits' | 'properties' {
  return type === 'identify' || type === 'group' ? 'traits' : 'properties'
}

function explain(message: StoredMessage, violation: Violation, events: Map<string, PlannedEvent>): Violation {
  const version = events.get(plannedName(message))?.all.get(violation.schemaVersion)
  if (!version) return violation
  const isAbout = partOf(message)
  const data = message[isAbout] ?? {}
  const errors = version.validate.findAll(data)?.map(error => describeError(error, data, isAbout)) ?? []
  const misfits = [...new Map(errors.map(error => [error.reason, error])).values()]
  const first = misfits.find(({ path }) => path === violation.path)
  if (!first || misfits.length < 2) return violation
  const problems = [first, ...misfits.filter(misfit => misfit !== first)].slice(0, MAX_PROBLEMS)
  const more = misfits.length - problems.length
  const reasons = [...problems.map(({ reason }) => reason), ...(more > 0 ? [`and ${more} more`] : [])]
  return { ...violation, reason: `${reasons.join('; ')} ${whereOf(message, version.version)}`, problems }
}

/** Tells which schema a reason is about. */
function whereOf(message: StoredMessage, version: string): string {
  return `(${nameOf(message)}, schema ${version})`
}

function misfit({ version, validate }: Version, data: unknown, root: string, message: StoredMessage): Violation {
  const { path, reason } = describeMisfit(validate.errors!, data, root)
  return {
    code: 'schema_violation',
    reason: `${reason} ${whereOf(message, version)}`,
    path,
    schemaVersion: version,
  }
}

function unknownVersion(version: unknown, { all }: PlannedEvent): Violation {
  return {
    code: 'unknown_schema_version',
    reason: `context.schemaVersion ${JSON.stringify(version).slice(0, 40)} is not in the plan: there are ${[...all.keys()].join(', ')}`,
    path: '$.context.schemaVersion',
    schemaVersion: '',
  }
}

function unplannedTrack({ type, event = '' }: StoredMessage): Violation | undefined {
  if (type !== 'track' || OWN_EVENTS.has(event)) return undefined
  return {
    code: 'unplanned_event',
    reason: `event "${event}" is not in the plan: add a schema for it, or send one that is`,
    path: '$.event',
    schemaVersion: '',
  }
}

function nameOf({ type, event }: StoredMessage): string {
  return type === 'track' ? (event ?? '') : type
}
