import { type Content, nearest, type Slot } from '@slotstream/protocol'
import { compileCondition } from '../conditions/compile-condition.js'
import type { Compiled, Condition, PathReader } from '../conditions/condition.js'
import { MAX_CANDIDATES_CLAUSES } from '../conditions/limits.js'
import { readPath } from '../conditions/read-path.js'
import { cut } from '../conditions/words/show.js'

/** Facts of a content that a condition may read: single values and lists; objects with fields; times. */
const VALUES = ['id', 'category', 'tags', 'brand', 'price', 'weight', 'stock', 'startsAt', 'endsAt', 'stopAfter']
const OBJECTS = ['attributes', 'payload']
const TIMES = ['startsAt', 'endsAt']

/** Defaults of facts that a content may leave out. All other facts read as missing. */
const LEFT_OUT: ReadonlyMap<string, number> = new Map([
  ['weight', 1],
  ['stock', Number.POSITIVE_INFINITY],
])

/** Compiled conditions, by the object in the slot: compiled once, not for each content. */
const COMPILED = new WeakMap<object, Compiled<Condition>>()

/**
 * Compiles the condition `candidates` of a slot. It reads a content's facts, `category`, `price`, `attributes.…`, and
 * is evaluated with a content. The same object is compiled only once.
 *
 * @returns a fault where the condition does not compile
 */
export function compileCandidates(candidates: object): Compiled<Condition> {
  const cached = COMPILED.get(candidates)
  if (cached) return cached
  const compiled = compileCondition(candidates, {
    path: 'candidates',
    read: readFact,
    checkPath: factTrouble,
    isTime: isFactTime,
    maxClauses: MAX_CANDIDATES_CLAUSES,
  })
  COMPILED.set(candidates, compiled)
  return compiled
}

/**
 * Returns a predicate: whether a slot takes a content, because the content names the slot or meets its `candidates`.
 * Where the condition does not compile, only content that names the slot is taken.
 */
export function takerOf({ id, candidates }: Pick<Slot, 'id' | 'candidates'>): (content: Content) => boolean {
  const compiled = candidates && compileCandidates(candidates)
  if (!compiled?.ok) return ({ slots }) => slots.includes(id)
  const { matches } = compiled.value
  return content => content.slots.includes(id) || matches(content)
}

/** Returns why a slot does not take a content, one line per clause that fails: `price is 250, wanted less than 200`. */
export function missesOfCandidates({ candidates }: Pick<Slot, 'candidates'>, content: Content): string[] {
  const compiled = candidates && compileCandidates(candidates)
  return compiled?.ok ? compiled.value.misses(content) : []
}

const readFact: PathReader = path => {
  const read = readPath(path)
  const leftOut = LEFT_OUT.get(path)
  return leftOut === undefined ? read : content => read(content) ?? leftOut
}

function isFactTime(path: string): boolean {
  return TIMES.includes(path)
}

/** Returns what is wrong with a path of a condition over contents; undefined: nothing. */
function factTrouble(path: string): string | undefined {
  const dot = path.indexOf('.')
  const root = dot === -1 ? path : path.slice(0, dot)
  if (VALUES.includes(root)) return dot === -1 ? undefined : `${root} has no fields`
  if (OBJECTS.includes(root))
    return path.split('.').length < 2 || path.split('.').includes('')
      ? `name what is asked, such as ${root}.season`
      : undefined
  const shown = JSON.stringify(cut(root, 100))
  const facts = [...VALUES, ...OBJECTS]
  const meant = nearest(root, facts)
  const hint = meant === undefined ? `there are ${facts.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`
  return `a content has no ${shown} that can be asked for: ${hint}`
}
