import type { SegmentDefinition } from '@slotstream/protocol'
import type { Compiled, Condition } from '../conditions/condition.js'
import { MAX_FAULTS } from '../conditions/limits.js'
import { type SharedReads, shareReads } from '../conditions/share-reads.js'
import { featureOf, readAttribute } from './attributes.js'
import { compileWhere } from './compile-where.js'
import { dependencyOrder } from './dependency-order.js'
import type { OnNames, Vocabulary } from './vocabulary.js'

/** A segment, compiled. */
export interface CompiledSegment {
  readonly name: string
  readonly where: Condition
  readonly leaveWhere?: Condition
}

/** All segments of a site, compiled. */
export interface CompiledSegments {
  /** Each after those that it depends on. */
  readonly segments: readonly CompiledSegment[]
  /** Reads that they share, to evaluate them for a person. Other conditions may be compiled with it. */
  readonly reads: SharedReads
  /** Paths of attributes that they read, each once. */
  readonly paths: readonly string[]
  /** Names of the features among them: no other need be computed. */
  readonly features: readonly string[]
  /** Names that conditions beside these segments may use. */
  readonly vocabulary: Vocabulary
}

/**
 * Compiles the segments of a site. Their shape must have been checked.
 *
 * @param knownFeatures names of features, built-in ones among them. Default: any
 * @param knownSignals names of signals. Default: any
 * @param numbers names of features whose values are numbers, where texts that no number can meet are faults
 * @returns a line for each fault: of conditions, unknown names, and circles of segments that depend on one another
 */
export function compileSegments(
  definitions: readonly SegmentDefinition[],
  knownFeatures?: readonly string[],
  knownSignals?: readonly string[],
  numbers: readonly string[] = [],
): Compiled<CompiledSegments> {
  const names = [...new Set(definitions.map(({ name }) => name))]
  const vocabulary: Vocabulary = { features: knownFeatures, signals: knownSignals, segments: names, numbers }
  const reads = shareReads(readAttribute)
  const compiled = new Map<string, CompiledSegment>()
  const dependencies = new Map<string, string[]>()
  const faults: string[] = []

  definitions.forEach(({ name, where, leaveWhere }, index) => {
    // It is rejected anyway, and looking for the names that were meant takes time.
    if (faults.length > MAX_FAULTS) return
    const at = `segments[${index}]`
    if (dependencies.has(name)) faults.push(`${at}.name: there are two segments ${JSON.stringify(name)}`)
    const needed: string[] = []
    const compile = (condition: unknown, field: string): Condition | undefined => {
      const onNames: OnNames = (root, names) => void (root === 'segments' && needed.push(...names))
      const result = compileWhere(condition, vocabulary, { path: `${at}.${field}`, read: reads.read, onNames })
      if (!result.ok) faults.push(...result.faults)
      return result.ok ? result.value : undefined
    }
    const condition = compile(where, 'where')
    const leave = leaveWhere === undefined ? undefined : compile(leaveWhere, 'leaveWhere')
    dependencies.set(name, needed)
    // With a fault in one, the set is rejected anyway.
    if (condition !== undefined) compiled.set(name, { name, where: condition, leaveWhere: leave })
  })

  const ordered = dependencyOrder(dependencies)
  if (!ordered.ok)
    for (const circle of ordered.circles)
      faults.push(
        `segments[${definitions.findIndex(({ name }) => name === circle[0])}]: depends on itself: ${circle.join(' → ')}`,
      )
  if (faults.length > 0 || !ordered.ok) return { ok: false, reason: faults.join('\n'), faults }

  const segments = ordered.order.map(name => compiled.get(name)!)
  const paths = pathsOf(segments)
  return { ok: true, value: { segments, reads, paths, features: featuresOf(paths), vocabulary } }
}

function pathsOf(segments: readonly CompiledSegment[]): string[] {
  return [...new Set(segments.flatMap(({ where, leaveWhere }) => [...where.paths, ...(leaveWhere?.paths ?? [])]))]
}

/** Returns the names of the features that paths name, each once. */
export function featuresOf(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap(path => featureOf(path)?.name ?? []))]
}
