import type { Clause } from '../condition.js'
import { cut } from '../words/show.js'

/** Returns a clause that holds when all of these do; with none it always does. */
export function allOf(clauses: readonly Clause[]): Clause {
  const [only] = clauses
  if (clauses.length === 1 && only !== undefined) return only
  const words = cut(clauses.map(clause => clause.words).join(' and '))
  const matchers = clauses.map(clause => clause.matches)
  return {
    matches(attributes) {
      for (const passes of matchers) if (!passes(attributes)) return false
      return true
    },
    addMisses(attributes, misses) {
      for (const clause of clauses) clause.addMisses(attributes, misses)
    },
    countMisses: attributes => clauses.reduce((count, clause) => count + clause.countMisses(attributes), 0),
    unwanted: () => cut(words === '' ? 'an empty condition always holds' : `wanted not (${words})`),
    words,
  }
}

/** Returns a clause that holds when one of these does; with none it does, too, as GrowthBook has it. */
export function anyOf(clauses: readonly Clause[]): Clause {
  const words = cut(`(${clauses.map(clause => clause.words).join(' or ')})`)
  const matches = (attributes: unknown) => {
    for (const clause of clauses) if (clause.matches(attributes)) return true
    return clauses.length === 0
  }
  return {
    matches,
    addMisses(attributes, misses) {
      if (!matches(attributes))
        misses.push(cut(`none holds: ${clauses.map(clause => missesIn(clause, attributes)).join('; or ')}`))
    },
    countMisses: attributes => (matches(attributes) ? 0 : 1),
    unwanted: () => cut(`wanted not ${words}`),
    words,
  }
}

/** Returns a clause that holds when this one does not. */
export function noneOf(clause: Clause): Clause {
  return {
    matches: attributes => !clause.matches(attributes),
    addMisses(attributes, misses) {
      if (clause.matches(attributes)) misses.push(clause.unwanted(attributes))
    },
    countMisses: attributes => (clause.matches(attributes) ? 1 : 0),
    unwanted(attributes) {
      const misses: string[] = []
      clause.addMisses(attributes, misses)
      return cut(misses.join(' and '))
    },
    words: cut(`not (${clause.words})`),
  }
}

/** Returns the tests of a branch that are not met, in one text. */
function missesIn(clause: Clause, attributes: unknown): string {
  const misses: string[] = []
  clause.addMisses(attributes, misses)
  return misses.join(' and ')
}
