import { isObject } from '@slotstream/protocol'
import type { Compiled, Condition } from '../conditions/condition.js'
import { shareReads } from '../conditions/share-reads.js'
import { readAttribute, type SegmentAttributes } from '../segments/attributes.js'
import { compileWhere } from '../segments/compile-where.js'

/** A condition as numbers of clauses, all of which must hold. */
export interface ClauseList {
  numbers: readonly number[]
  /** The numbers as a text: the same for the same clauses. */
  key: string
  /** Paths of attributes that it reads. */
  paths: readonly string[]
}

/** The clauses of a site's conditions, each once however many contents have it. None ever leaves, so numbers stay valid. */
export interface Clauses {
  /** Clauses that there are. */
  readonly size: number
  /** Adds a condition; the same object is compiled once. A fault in it changes nothing. */
  add(where: unknown): Compiled<ClauseList>
  /** Starts to ask them of one person and request: each clause is evaluated once, and only when it is asked. */
  ask(attributes: SegmentAttributes): ClauseAnswers
}

/** Answers of one person and request. */
export interface ClauseAnswers {
  /** Returns the first of these clauses that does not hold; undefined where all do. */
  firstMiss(numbers: readonly number[]): number | undefined
  /** Describes why a clause does not hold: `context.country is "FR", wanted "DE"`. */
  describe(number: number): string
  /** Returns the paths that a clause reads. */
  pathsOf(number: number): readonly string[]
}

const HOLDS = 1
const FAILS = 2

/** Creates an empty set of clauses. */
export function createClauses(): Clauses {
  const reads = shareReads(readAttribute)
  const numbers = new Map<string, number>()
  const conditions: Condition[] = []
  const added = new WeakMap<object, Compiled<ClauseList>>()

  function numberOf(part: object): number {
    const text = JSON.stringify(part)
    const known = numbers.get(text)
    if (known !== undefined) return known
    const compiled = compileWhere(part, {}, { read: reads.read })
    // The condition that it is a part of was compiled without a fault.
    if (!compiled.ok) throw new Error(compiled.reason)
    numbers.set(text, conditions.length)
    return conditions.push(compiled.value) - 1
  }

  function compile(where: unknown): Compiled<ClauseList> {
    const whole = compileWhere(where, {}, { read: reads.read })
    if (!whole.ok) return whole
    const list = partsOf(where).map(numberOf)
    return { ok: true, value: { numbers: list, key: list.join(), paths: whole.value.paths } }
  }

  return {
    get size() {
      return conditions.length
    },
    add(where) {
      if (!isObject(where)) return compile(where)
      const known = added.get(where) ?? compile(where)
      added.set(where, known)
      return known
    },
    ask(attributes) {
      const loaded = reads.load(attributes)
      const answers = new Uint8Array(conditions.length)
      const described = new Map<number, string>()
      const answerOf = (number: number) => {
        const known = answers[number]
        if (known) return known
        const answer = conditions[number]!.matches(loaded) ? HOLDS : FAILS
        // Of a clause that came after the question began there is no place to keep the answer.
        answers[number] = answer
        return answer
      }
      return {
        firstMiss(wanted) {
          for (const number of wanted) if (answerOf(number) === FAILS) return number
          return undefined
        },
        describe(number) {
          const known = described.get(number)
          if (known !== undefined) return known
          const description = conditions[number]!.misses(loaded)[0] ?? ''
          described.set(number, description)
          return description
        },
        pathsOf: number => conditions[number]!.paths,
      }
    },
  }
}

/** Returns the parts of a condition that must all hold, each a condition. */
function partsOf(where: unknown): object[] {
  if (!isObject(where)) return []
  return Object.entries(where).flatMap(([key, wanted]) =>
    key === '$and' && Array.isArray(wanted) ? wanted.flatMap(partsOf) : [{ [key]: wanted }],
  )
}
