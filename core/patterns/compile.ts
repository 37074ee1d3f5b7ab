import {
  type DeclaredPattern,
  hash32,
  isObject,
  type PatternDefinition,
  type PatternEvent,
  parseDuration,
  patternFaults,
  patternKindOf,
  type SequencePattern,
} from '@slotstream/protocol'
import { compileMessageCondition } from '../conditions/compile-message-condition.js'
import { ANY_EVENT } from '../conditions/event-name.js'
import { readValues } from '../conditions/message-paths.js'
import { AMOUNT_SCALE } from './bounds.js'
import type { CompiledPattern, CompiledPatterns, Matcher } from './compiled.js'
import { entityOf } from './entity.js'
import { changeLogic } from './kinds/change.js'
import { returnLogic } from './kinds/return.js'
import type { Element, Role } from './kinds/runs.js'
import { sequenceLogic } from './kinds/sequence.js'
import { windowLogic } from './kinds/window.js'

/** Result of compiling: each fault is a line that begins with its path, and `reason` has all lines. */
export type CompiledSet = { ok: true; value: CompiledPatterns } | { ok: false; reason: string; faults: string[] }

/** Facts about a pattern that are collected while it is compiled. */
interface Draft {
  matchers: Matcher[]
  faults: string[]
}

/**
 * Compiles a set of patterns; entries that switch a built-in one off are left out. The reason of a failure has a line
 * for each fault, which names the field: `patterns[2].within: must be a duration …`.
 *
 * @param path of the set, with which lines begin
 */
export function compilePatterns(definitions: readonly DeclaredPattern[], path = 'patterns'): CompiledSet {
  const faults: string[] = []
  const patterns: CompiledPattern[] = []
  const names = new Set<string>()
  for (const [index, definition] of definitions.entries()) {
    const at = `${path}[${index}]`
    const wrong = patternFaults(definition, at)
    faults.push(...wrong)
    if (wrong.length > 0 || 'off' in definition) continue
    if (names.has(definition.name)) faults.push(`${at}.name: "${definition.name}" is the name of another pattern, too`)
    names.add(definition.name)
    const draft: Draft = { matchers: [], faults: [] }
    patterns.push(compilePattern(definition, at, draft))
    faults.push(...draft.faults)
  }
  if (faults.length > 0) return { ok: false, reason: faults.join('\n'), faults }
  return { ok: true, value: setOf(patterns) }
}

function compilePattern(definition: PatternDefinition, path: string, draft: Draft): CompiledPattern {
  const kind = patternKindOf(definition)!
  const valuePath = 'value' in definition ? definition.value : 'changed' in definition ? definition.changed : undefined
  const addStep = (event: PatternEvent, at: string) => addMatcher(draft, event, at)
  const logic = logicOf(definition, path, addStep)
  const graceMs = msOf(definition.grace) ?? 0
  const hasWaits =
    'sequence' in definition && definition.sequence.some(step => 'not' in step && step.within !== undefined)
  return {
    definition,
    kind,
    name: definition.name,
    // What is remembered goes on where only the text for readers changes.
    version: versionOf({ ...definition, description: null }),
    matchers: draft.matchers,
    isKeyed: draft.matchers.some(({ readKeys }) => readKeys !== undefined),
    isOfPerson: entityOf(definition) === 'person',
    graceMs,
    quietMs: msOf(definition.quiet) ?? 0,
    hasTimers: graceMs > 0 || hasWaits,
    needsSettled: graceMs > 0 || (kind !== 'after' && kind !== 'changed'),
    ...(valuePath !== undefined && { readValue: readValues(valuePath) }),
    logic,
  }
}

type AddStep = (event: PatternEvent, path: string) => number

function logicOf(definition: PatternDefinition, path: string, addStep: AddStep) {
  if ('sequence' in definition) return sequenceOf(definition, path, addStep)
  addStep(definition, path)
  if ('after' in definition) return returnLogic(msOf(definition.after)!)
  const withinMs = msOf(definition.within) ?? Number.POSITIVE_INFINITY
  if ('changed' in definition) return changeLogic(withinMs)
  if ('count' in definition) return windowLogic({ needed: definition.count, isSum: false, withinMs })
  return windowLogic({ needed: Math.round(definition.sum * AMOUNT_SCALE), isSum: true, withinMs })
}

function sequenceOf(definition: SequencePattern, path: string, addStep: AddStep) {
  const elements: Element[] = []
  const roles: Role[] = []
  let isGuarded = false
  for (const [index, step] of definition.sequence.entries()) {
    const at = `${path}.sequence[${index}]`
    if (!('not' in step)) {
      roles[addStep(step, at)] = { place: elements.length, isGuard: false }
      elements.push({ isGuarded })
      isGuarded = false
      continue
    }
    const nots = Array.isArray(step.not) ? step.not : [step.not]
    for (const [place, event] of nots.entries()) {
      const inside = Array.isArray(step.not) ? `${at}.not[${place}]` : `${at}.not`
      roles[addStep(event, inside)] = { place: elements.length, isGuard: true }
    }
    const waitMs = msOf(step.within)
    if (waitMs !== undefined) elements.push({ waitMs, isGuarded: true })
    else isGuarded = true
  }
  return sequenceLogic({ elements, roles, withinMs: msOf(definition.within) ?? Number.POSITIVE_INFINITY })
}

function addMatcher(draft: Draft, step: PatternEvent, path: string): number {
  const index = draft.matchers.length
  const matcher: Matcher = { event: step.event, step: index, hit: [index] }
  if (step.where !== undefined) {
    const condition = compileMessageCondition(step.where, `${path}.where`)
    if (condition.ok) matcher.condition = condition.value
    else draft.faults.push(...condition.faults)
  }
  if (step.key !== undefined) matcher.readKeys = readValues(step.key)
  draft.matchers.push(matcher)
  return index
}

/** Sorts the patterns by the messages that they look at. */
function setOf(patterns: readonly CompiledPattern[]): CompiledPatterns {
  const events = new Set(patterns.flatMap(({ matchers }) => matchers.map(({ event }) => event)))
  events.delete(ANY_EVENT)
  const watches = (isOf: (event: string) => boolean) =>
    patterns
      .map(pattern => ({ pattern, matchers: pattern.matchers.filter(({ event }) => isOf(event)) }))
      .filter(({ matchers }) => matchers.length > 0)
  return {
    version: versionOf(patterns.map(({ name, version }) => [name, version])),
    patterns,
    byName: new Map(patterns.map(pattern => [pattern.name, pattern])),
    byEvent: new Map([...events].map(name => [name, watches(event => event === name || event === ANY_EVENT)])),
    ofAny: watches(event => event === ANY_EVENT),
  }
}

/** Milliseconds of a duration that was checked. */
function msOf(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : parseDuration(duration)
}

/** Returns a hash of a value of JSON, the same for any order of its fields. */
function versionOf(value: unknown): string {
  return hash32(JSON.stringify(sorted(value))).toString(36)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.keys(value)
    .toSorted()
    .map(name => [name, sorted(value[name])])
}
