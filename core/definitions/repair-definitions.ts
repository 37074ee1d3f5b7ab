import {
  type DefinitionKind,
  type Definitions,
  featureFaults,
  isDefinitionName,
  isObject,
  type JsonObject,
  MAX_PATTERN_NOTS,
  MAX_PATTERN_STEPS,
  type PatternEvent,
  type PatternStep,
  patternFaults,
  segmentFaults,
} from '@slotstream/protocol'

/** Check and repair of an entry, by kind. A repaired one has the conditions at their places, and else no meaning. */
const REPAIRS: Record<
  DefinitionKind,
  { faults: (raw: unknown, path: string) => string[]; repair: (raw: Record<string, unknown>) => object }
> = {
  features: {
    faults: featureFaults,
    repair: ({ source }) => ({ source: { event: '*', ...(isObject(source) && whereOf(source)) }, aggregate: 'count' }),
  },
  patterns: {
    faults: patternFaults,
    repair: raw =>
      Array.isArray(raw.sequence) ? { sequence: repairedSteps(raw.sequence) } : { ...eventOf(raw), count: 1 },
  },
  segments: {
    faults: segmentFaults,
    repair: ({ where, leaveWhere }) => ({
      where: isObject(where) ? where : {},
      ...(isObject(leaveWhere) && { leaveWhere }),
    }),
  },
}

/**
 * Returns a set of the right form that has the conditions and names of one that may have faults, each at its place: so
 * that its conditions can be checked as well.
 */
export function repairDefinitions<Kind extends DefinitionKind>(kind: Kind, raw: readonly unknown[]): Definitions[Kind] {
  const { faults, repair } = REPAIRS[kind]
  const names = new Set<string>()
  return raw.map((item, index) => {
    const isFree = isObject(item) && isDefinitionName(item.name) && !names.has(item.name)
    const name = isFree ? (item.name as string) : freeName(index, raw)
    names.add(name)
    const isSound = isFree && faults(item, '').length === 0
    return isSound ? item : { name, ...repair(isObject(item) ? item : {}) }
  }) as Definitions[Kind]
}

/** Returns a name that no entry of a set has. */
function freeName(index: number, raw: readonly unknown[]): string {
  let name = `entry-${index}`
  while (raw.some(item => isObject(item) && item.name === name)) name += '-'
  return name
}

function repairedSteps(steps: readonly unknown[]): PatternStep[] {
  const repaired: PatternStep[] = []
  for (const step of steps.slice(0, MAX_PATTERN_STEPS)) {
    const raw = isObject(step) ? step : {}
    const before = repaired.at(-1)
    const { not } = raw
    const mayBeAbsence = before !== undefined && !('not' in before)
    if (mayBeAbsence && Array.isArray(not) && not.length > 0)
      repaired.push({ not: not.slice(0, MAX_PATTERN_NOTS).map(eventOf), within: '1s' })
    else if (mayBeAbsence && isObject(not)) repaired.push({ not: eventOf(not), within: '1s' })
    else repaired.push(eventOf(raw))
  }
  return repaired.length > 0 ? repaired : [{ event: '*' }]
}

function eventOf(raw: unknown): PatternEvent {
  return { event: '*', ...(isObject(raw) && whereOf(raw)) }
}

function whereOf({ where }: Record<string, unknown>): { where?: JsonObject } {
  return isObject(where) ? { where: where as JsonObject } : {}
}
