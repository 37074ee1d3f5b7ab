import { compareTexts } from '../compare-texts.js'
import type { Condition } from '../conditions/condition.js'
import type { SegmentAttributes } from './attributes.js'

/** Persons who would be in a segment, and who nearly would. */
export interface PreviewResult {
  /** Persons who are in. */
  size: number
  /** Some of their ids: the first in the order of their characters. */
  in: string[]
  /** Those of the others who miss the fewest clauses, then by id, with what they miss. */
  nearest: { id: string; misses: string[] }[]
}

/** Gathers a preview over any number of persons, in any order, in bounded memory. */
export interface Preview {
  /** @param attributes with the person's segments as they are served */
  add(id: string, attributes: SegmentAttributes): void
  result(): PreviewResult
}

/** Maximum number of ids in each list of a preview. */
const MOST_LISTED = 10

/** Starts a preview of a condition that `compileWhere` compiled: the evaluator that serves. */
export function createPreview(condition: Condition): Preview {
  let size = 0
  const members: string[] = []
  const nearest: (Near & { misses: string[] })[] = []
  return {
    add(id, attributes) {
      const count = condition.countMisses(attributes)
      if (count === 0) {
        size++
        keepFirst(members, id, compareTexts)
      } else if (isAmongFirst(nearest, { id, count }, compareNear))
        keepFirst(nearest, { id, count, misses: condition.misses(attributes) }, compareNear)
    },
    result: () => ({ size, in: [...members], nearest: nearest.map(({ id, misses }) => ({ id, misses })) }),
  }
}

/** Adds previews of different persons up, such as those of partitions. */
export function mergePreviews(results: readonly PreviewResult[]): PreviewResult {
  return {
    size: results.reduce((sum, { size }) => sum + size, 0),
    in: results
      .flatMap(result => result.in)
      .sort(compareTexts)
      .slice(0, MOST_LISTED),
    nearest: results
      .flatMap(result => result.nearest)
      .sort((a, b) => a.misses.length - b.misses.length || compareTexts(a.id, b.id))
      .slice(0, MOST_LISTED),
  }
}

interface Near {
  id: string
  count: number
}

function compareNear(a: Near, b: Near): number {
  return a.count - b.count || compareTexts(a.id, b.id)
}

function isAmongFirst<T>(list: readonly T[], entry: T, compare: (a: T, b: T) => number): boolean {
  const last = list[MOST_LISTED - 1]
  return last === undefined || compare(entry, last) < 0
}

function keepFirst<T>(list: T[], entry: T, compare: (a: T, b: T) => number): void {
  if (!isAmongFirst(list, entry, compare)) return
  const at = list.findIndex(other => compare(entry, other) < 0)
  list.splice(at === -1 ? list.length : at, 0, entry)
  if (list.length > MOST_LISTED) list.pop()
}
