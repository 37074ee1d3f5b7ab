import type { DecisionTest } from '@slotstream/protocol'
import { compileWhere } from '../../../segments/compile-where.js'
import { attributesAsGiven } from '../ask-as-given.js'
import { boundaryValues } from './boundary-values.js'
import { type Assignment, givenWith, isOpen, isPossibleAt } from './given-with.js'
import { forEachPath, type Parts, partsOfCondition } from './leaves.js'

/** Values of one path that are tried, and solutions of one condition that are returned, at most. */
const MOST_VALUES = 64
const MOST_SOLUTIONS = 64

/** Assignments that are searched for solutions, at most. */
const MOST_JOINED = 1_024

/** The empty assignment. */
export const NOTHING: Assignment = new Map()

/** Finds values of the paths that a test leaves open by which conditions hold, or do not. */
export interface Solver {
  /**
   * Returns assignments by which a condition holds (or does not), the simplest first. There may be more.
   *
   * @param contentId content for which it is evaluated, with the features that the test gives. Undefined: none
   */
  solutions(where: unknown, holds: boolean, contentId: string | undefined): Assignment[]
}

/**
 * Creates a solver for the facts that a test gives.
 *
 * @param conditions all of the slot: values of one are also tried where another reads the same path
 * @param now of the test, in milliseconds since the epoch
 */
export function createSolver(facts: DecisionTest['given'], conditions: readonly unknown[], now: number): Solver {
  const values = valuesByPath(conditions)
  const solved = new Map<string, Assignment[]>()

  function solve(parts: Parts, holds: boolean, contentId?: string): Assignment[] {
    if (parts.type === 'not') return solve(parts.part, !holds, contentId)
    if (parts.type === 'path') return solvePath(parts, holds, contentId)
    const all = parts.parts.map(part => solve(part, holds, contentId))
    return (parts.type === 'all') === holds ? all.reduce((sum, next) => joined(sum, next), [NOTHING]) : all.flat()
  }

  function solvePath(
    { path, expected }: { path: string; expected: unknown },
    holds: boolean,
    contentId?: string,
  ): Assignment[] {
    const isSolution = checkOf({ [path]: expected }, holds, contentId)
    const tried = isOpen(facts, path)
      ? [...boundaryValues(expected), ...(values.get(path)?.values() ?? [])].filter(value => isPossibleAt(path, value))
      : []
    const assignments = [NOTHING, ...distinct(tried).map((value): Assignment => new Map([[path, value]]))]
    return assignments.slice(0, MOST_VALUES).filter(isSolution)
  }

  function checkOf(where: object, holds: boolean, contentId?: string): (assignment: Assignment) => boolean {
    const compiled = compileWhere(where, {}, { isOfContent: true })
    if (!compiled.ok) return () => false
    return assignment => {
      const attributes = attributesAsGiven(givenWith(facts, assignment), now, contentId)
      return compiled.value.matches(attributes) === holds
    }
  }

  return {
    solutions(where, holds, contentId) {
      const key = JSON.stringify([where, holds, contentId])
      const before = solved.get(key)
      if (before) return before
      // A value that was chosen for one part of the condition may be wrong for another.
      const solutions = solve(partsOfCondition(where), holds, contentId).filter(
        checkOf((where ?? {}) as object, holds, contentId),
      )
      const simplest = solutions.slice(0, MOST_SOLUTIONS)
      solved.set(key, simplest)
      return simplest
    },
  }
}

/** Joins each pair of assignments that do not contradict each other. Returns at most `most`. */
export function joined(
  left: readonly Assignment[],
  right: readonly Assignment[],
  most: number = MOST_JOINED,
): Assignment[] {
  const all: Assignment[] = []
  for (const first of left)
    for (const second of right) {
      if (all.length >= most) return all
      const isContradiction = [...second].some(([path, value]) => first.has(path) && !isSame(first.get(path), value))
      if (!isContradiction) all.push(second.size === 0 ? first : new Map([...first, ...second]))
    }
  return all
}

function valuesByPath(conditions: readonly unknown[]): Map<string, Map<string, unknown>> {
  const values = new Map<string, Map<string, unknown>>()
  for (const where of conditions)
    forEachPath(partsOfCondition(where), (path, expected) => {
      const ofPath = values.get(path) ?? new Map<string, unknown>()
      values.set(path, ofPath)
      if (ofPath.size < MOST_VALUES) for (const value of boundaryValues(expected)) ofPath.set(textOf(value), value)
    })
  return values
}

function distinct(values: readonly unknown[]): unknown[] {
  return [...new Map(values.map(value => [textOf(value), value])).values()]
}

function isSame(a: unknown, b: unknown): boolean {
  return textOf(a) === textOf(b)
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? ''
}
