import { type Content, isObject } from '@slotstream/protocol'
import type { Compiled, Condition } from '../conditions/condition.js'
import { shareReads } from '../conditions/share-reads.js'
import { contentFeaturesOf, readAttribute, type SegmentAttributes } from '../segments/attributes.js'
import { compileWhere } from '../segments/compile-where.js'

/** A condition as a list of clauses, by number. It holds if all of them do. */
export interface ClauseList {
  numbers: readonly number[]
  /** The numbers joined to a text: equal lists have equal keys. */
  key: string
  /** Paths of attributes that the condition reads. */
  paths: readonly string[]
  /** Whether the condition reads features of the content that it is evaluated for. */
  asksContent: boolean
}

/** Returns the features of a content by name, as conditions read them. */
export type ReadContent = (contentId: string) => Readonly<Record<string, unknown>>

/**
 * The clauses of all conditions of a site. Equal clauses share a number, and no clause is ever removed, so numbers stay
 * valid.
 */
export interface Clauses {
  /** Number of clauses. */
  readonly size: number
  /** Adds a condition; the same object is compiled only once. One that does not compile adds nothing. */
  add(where: unknown): Compiled<ClauseList>
  /**
   * Starts evaluating the clauses for one person and request. Each clause is evaluated at most once, when it is first
   * needed; clauses that read content, once per content and call.
   *
   * @param readContent returns the features of a content. Default: content has no features
   */
  ask(attributes: SegmentAttributes, readContent?: ReadContent): ClauseAnswers
}

/** The values of clauses for one person and request, and for a content where a clause reads it. */
export interface ClauseAnswers {
  /** Returns the number of the first of these clauses that does not hold; undefined: all hold. */
  firstMiss(numbers: readonly number[], contentId?: string): number | undefined
  /** Describes why a clause does not hold: `context.country is "FR", wanted "DE"`. */
  describe(number: number, contentId?: string): string
  /** Returns the paths that a clause reads. */
  pathsOf(number: number): readonly string[]
}

/** The features of content that has none. */
const NO_FEATURES: Readonly<Record<string, unknown>> = {}

const HOLDS = 1
const FAILS = 2

/** Creates an empty set of clauses. */
export function createClauses(): Clauses {
  const reads = shareReads(readAttribute)
  const numbers = new Map<string, number>()
  const conditions: Condition[] = []
  /** By clause: whether it reads the content, and so has a value for each content. */
  const asksContent: boolean[] = []
  const added = new WeakMap<object, Compiled<ClauseList>>()

  function numberOf(part: object): number {
    const text = JSON.stringify(part)
    const existing = numbers.get(text)
    if (existing !== undefined) return existing
    const compiled = compileWhere(part, {}, { read: reads.read, isOfContent: true })
    // The condition that it is a part of was compiled without a fault.
    if (!compiled.ok) throw new Error(compiled.reason)
    numbers.set(text, conditions.length)
    asksContent.push(contentFeaturesOf(compiled.value.paths).length > 0)
    return conditions.push(compiled.value) - 1
  }

  function compile(where: unknown): Compiled<ClauseList> {
    const whole = compileWhere(where, {}, { read: reads.read, isOfContent: true })
    if (!whole.ok) return whole
    const { paths } = whole.value
    const list = partsOf(where).map(numberOf)
    const isAsked = contentFeaturesOf(paths).length > 0
    return { ok: true, value: { numbers: list, key: list.join(), paths, asksContent: isAsked } }
  }

  return {
    get size() {
      return conditions.length
    },
    add(where) {
      if (!isObject(where)) return compile(where)
      const compiled = added.get(where) ?? compile(where)
      added.set(where, compiled)
      return compiled
    },
    ask(attributes, readContent = () => NO_FEATURES) {
      const loaded = reads.load(attributes)
      // Not loaded into the shared reads: these keep values, and each content has its own.
      const ofContent: SegmentAttributes = { ...attributes }
      const aboutContent = (contentId?: string) => {
        ofContent.content = { features: contentId === undefined ? NO_FEATURES : readContent(contentId) }
        return ofContent
      }
      const answers = new Uint8Array(conditions.length)
      const described = new Map<number, string>()
      const answerOf = (number: number, contentId?: string) => {
        if (asksContent[number]) return conditions[number]!.matches(aboutContent(contentId)) ? HOLDS : FAILS
        const cached = answers[number]
        if (cached) return cached
        const answer = conditions[number]!.matches(loaded) ? HOLDS : FAILS
        // A clause that was added after `ask` is beyond the array: its answer is not cached.
        answers[number] = answer
        return answer
      }
      return {
        firstMiss(clauseNumbers, contentId) {
          for (const number of clauseNumbers) if (answerOf(number, contentId) === FAILS) return number
          return undefined
        },
        describe(number, contentId) {
          if (asksContent[number]) return conditions[number]!.misses(aboutContent(contentId))[0] ?? ''
          const cached = described.get(number)
          if (cached !== undefined) return cached
          const description = conditions[number]!.misses(loaded)[0] ?? ''
          described.set(number, description)
          return description
        },
        pathsOf: number => conditions[number]!.paths,
      }
    },
  }
}

/** Creates the list of a slot's distinct conditions, and of what they read. Those that do not compile become faults. */
export function createConditionList(clauses: Clauses, faults: string[]) {
  const paths = new Set<string>()
  const conditions: (readonly number[])[] = []
  const asksContent: boolean[] = []
  const numberOf = new Map<string, number>()

  function listOf(where: unknown, at: string): ClauseList | undefined {
    if (where === undefined) return NO_CLAUSES
    const compiled = clauses.add(where)
    if (!compiled.ok) faults.push(`${at}: ${compiled.reason}`)
    return compiled.ok ? compiled.value : undefined
  }

  function add(where: unknown, at: string): ClauseList | undefined {
    const list = listOf(where, at)
    for (const path of list?.paths ?? []) paths.add(path)
    return list
  }

  function conditionOf(content: Pick<Content, 'id' | 'where'>): number | undefined {
    const list = listOf(content.where, `content ${content.id}`)
    if (!list) return undefined
    const existing = numberOf.get(list.key)
    if (existing !== undefined) return existing
    numberOf.set(list.key, conditions.length)
    for (const path of list.paths) paths.add(path)
    asksContent.push(list.asksContent)
    return conditions.push(list.numbers) - 1
  }

  return { add, conditionOf, conditions, asksContent, paths }
}

/** The condition of content without one: it always holds. */
const NO_CLAUSES: ClauseList = { numbers: [], key: '', paths: [], asksContent: false }

/** Splits a condition into conditions that must all hold. */
function partsOf(where: unknown): object[] {
  if (!isObject(where)) return []
  return Object.entries(where).flatMap(([key, operand]) =>
    key === '$and' && Array.isArray(operand) ? operand.flatMap(partsOf) : [{ [key]: operand }],
  )
}
