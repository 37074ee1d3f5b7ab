import type { Clause, CompileOptions, CompilePattern, Test } from './condition.js'
import { MAX_CLAUSES, MAX_FAULTS } from './limits.js'

/** State of compiling one condition: what was counted and what was found wrong. */
export interface Compilation {
  readonly options: CompileOptions
  /** Undefined: there are no regular expressions here. */
  readonly compilePattern: CompilePattern | undefined
  readonly faults: string[]
  /** Faults that are not in `faults`, because there are so many. */
  moreFaults: number
  clauses: number
  patterns: number
  /** Paths that were read, by which reader. */
  readonly readers: Map<string, (attributes: unknown) => unknown>
  /** Compile what is nested. Part of the state, so that operators need not import what imports them. */
  readonly compileTests: (operand: unknown, place: Place) => Test[]
  readonly compileClause: (condition: unknown, place: Place) => Clause
}

/** A place in a condition that is being compiled. */
export interface Place {
  readonly compilation: Compilation
  /** Path of the place in faults. */
  readonly at: string
  readonly depth: number
  /** True if the value there is a time. */
  readonly isTime: boolean
  /** True if paths are those of an element of a list, not of the attributes. */
  readonly isElement: boolean
}

/** Operator of the language: compiles what stands behind it. Undefined: it noted a fault. */
export type Operator = (operand: unknown, place: Place) => Test | undefined

/** Returns the place of a key or an index within another. */
export function placeWithin(place: Place, key: string | number): Place {
  return { ...place, at: typeof key === 'number' ? `${place.at}[${key}]` : `${place.at}.${key}` }
}

/** Notes what is wrong at a place. Undefined, so that an operator can return it. */
export function fault(place: Place, what: string): undefined {
  const { compilation } = place
  if (compilation.faults.length < MAX_FAULTS) compilation.faults.push(`${place.at}: ${what}`)
  else compilation.moreFaults++
  return undefined
}

/** Counts a clause; the one that is too many is a fault, once. */
export function countClause(place: Place): void {
  const { maxClauses = MAX_CLAUSES } = place.compilation.options
  if (++place.compilation.clauses === maxClauses + 1)
    fault(place, `is clause ${maxClauses + 1} of the condition, ${maxClauses} are allowed`)
}
