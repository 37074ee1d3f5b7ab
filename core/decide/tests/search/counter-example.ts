import type { Content, DecisionTest, Slot } from '@slotstream/protocol'
import { contentsOfSlot } from '../../../catalog/slot-of-arm.js'
import { show } from '../../../conditions/words/show.js'
import { type AskedTest, createAskAsGiven, type TestedCatalog, timeAsGiven } from '../ask-as-given.js'
import { whyNotCertain } from '../run-decision-test.js'
import { type Assignment, givenWith } from './given-with.js'
import { createSolver, joined, NOTHING, type Solver } from './solve.js'

/** Persons that are tried for one test at most, and for all tests of a catalog together. */
export const MOST_TRIALS = 200
export const MOST_TRIALS_IN_ALL = 20_000

/** Persons that are tried for a test, at least, however many tests there are. */
const LEAST_TRIALS = 20

/** Returns how many persons are tried for each test, of a given number of tests. */
export function trialsOf(tests: number): number {
  return Math.max(LEAST_TRIALS, Math.min(MOST_TRIALS, Math.floor(MOST_TRIALS_IN_ALL / Math.max(1, tests))))
}

/**
 * Creates the function that searches for counter-examples of a decision test: persons who fit what the test gives, and
 * for whom the catalog breaks it. Where the test leaves a value open, it tries the boundary values of the slot's
 * conditions, other types, and none. A counter-example that it finds is real; that it finds none proves nothing. The
 * search is deterministic.
 *
 * @param siteId,now see `createRunDecisionTest`
 * @param trials persons that are tried for a test, at most. Default `MOST_TRIALS`
 * @returns function that returns a line for each `never` and `always` that is broken
 */
export function createFindCounterExamples(
  catalog: TestedCatalog,
  siteId: string,
  now: number,
  trials: number = MOST_TRIALS,
): (test: DecisionTest) => string[] {
  const ask = createAskAsGiven(catalog, siteId, now)

  return test => {
    const slot = catalog.slots.find(({ id }) => id === test.slot)
    if (slot === undefined) return []
    const contents = contentsOfSlot(slot, catalog.content)
    const wheres = [...contents, ...(slot.campaigns ?? [])].flatMap(({ where }) => (where ? [where] : []))
    const conditions = [...new Map(wheres.map(where => [JSON.stringify(where), where])).values()]
    if (conditions.length === 0) return []
    const search: Search = {
      slot,
      contents,
      solver: createSolver(test.given, conditions, timeAsGiven(test.given, now)),
      ask: assignment => ask({ slot: test.slot, given: givenWith(test.given, assignment) })!,
      left: trials,
    }
    const { never = [], always = [] } = test.expect
    return [
      ...never.flatMap(id => report(id, search, casesOfNever(id, search), isShown(id), neverFault)),
      ...always.flatMap(id => report(id, search, casesOfAlways(id, search), isNotCertain(id), alwaysFault)),
    ]
  }
}

interface Search {
  slot: Slot
  contents: readonly Content[]
  solver: Solver
  ask: (assignment: Assignment) => AskedTest
  /** Persons that may still be tried. */
  left: number
}

type IsBroken = (askedTest: AskedTest) => boolean

const isShown =
  (id: string): IsBroken =>
  ({ answer }) =>
    answer.possible.has(id)

const isNotCertain =
  (id: string): IsBroken =>
  ({ answer }) =>
    !answer.certain.has(id)

const neverFault = (id: string, words: string) => `never ${id}: it can be shown where ${words}`
const alwaysFault = (id: string, words: string, askedTest: AskedTest) =>
  `always ${id}: where ${words}, ${whyNotCertain(id, askedTest)}`

function report(
  id: string,
  search: Search,
  cases: Iterable<Assignment>,
  isBroken: IsBroken,
  faultOf: (id: string, words: string, askedTest: AskedTest) => string,
): string[] {
  const tried = new Set<string>()
  for (const assignment of cases) {
    if (search.left <= 0) return []
    const text = JSON.stringify([...assignment])
    if (tried.has(text)) continue
    tried.add(text)
    search.left--
    if (!isBroken(search.ask(assignment))) continue
    const least = smallest(assignment, search, isBroken)
    return [faultOf(id, wordsOf(least), search.ask(least))]
  }
  return []
}

/**
 * Yields persons to whom a content of `never` might be shown: they meet its condition, and other content is kept from
 * them.
 */
function* casesOfNever(id: string, search: Search): Generator<Assignment> {
  const { contents, slot, solver } = search
  const content = contents.find(each => each.id === id)
  if (content === undefined) return
  const meeting = solver.solutions(content.where, true, id)
  yield* meeting
  for (const campaign of slot.campaigns ?? [])
    if (campaign.contentIds.includes(id)) yield* joined(solver.solutions(campaign.where, true, id), meeting)
  for (const assignment of meeting) yield* withoutOthers(id, assignment, search)
}

/** Yields persons for whom conditions exclude the content that comes before a content. */
function* withoutOthers(id: string, assignment: Assignment, search: Search): Generator<Assignment> {
  const { contents, slot, solver, ask } = search
  let cases: Assignment[] = [assignment]
  for (const { where, contentIds } of (slot.campaigns ?? []).filter(each => !each.contentIds.includes(id)))
    for (const other of where ? askedOf(where, contentIds) : [])
      cases = orElse(joined(cases, solver.solutions(where, false, other)), cases)
  yield* cases
  for (const other of ask(cases[0]!).answer.certain) {
    const { where } = contents.find(each => each.id === other)!
    cases = where ? orElse(joined(cases, solver.solutions(where, false, other)), cases) : cases
  }
  yield* cases
}

/** Yields persons to whom a content of `always` might not be shown: they fail its condition, or others come first. */
function* casesOfAlways(id: string, { contents, slot, solver }: Search): Generator<Assignment> {
  yield* solver.solutions(contents.find(content => content.id === id)?.where, false, id)
  for (const campaign of slot.campaigns ?? []) {
    for (const other of contents)
      if (other.id !== id && campaign.contentIds.includes(other.id))
        yield* joined(solver.solutions(campaign.where, true, other.id), solver.solutions(other.where, true, other.id))
    // It may be shown only because of this campaign.
    if (campaign.where) yield* solver.solutions(campaign.where, false, id)
  }
  for (const other of contents) if (other.id !== id) yield* solver.solutions(other.where, true, other.id)
}

/** Returns the contents for which a campaign's condition is solved: one is enough if it does not read content. */
function askedOf(where: object, contentIds: readonly string[]): readonly string[] {
  return JSON.stringify(where).includes('"content.features.') ? contentIds : contentIds.slice(0, 1)
}

function orElse(assignments: Assignment[], otherwise: Assignment[]): Assignment[] {
  return assignments.length > 0 ? assignments : otherwise
}

/** Shrinks an assignment: leaves out each value without which the test is broken all the same. */
function smallest(assignment: Assignment, { ask }: Search, isBroken: IsBroken): Assignment {
  let least = assignment
  for (const path of assignment.keys()) {
    const without = new Map([...least].filter(([other]) => other !== path))
    if (isBroken(ask(without))) least = without
  }
  return least.size > 0 ? least : NOTHING
}

function wordsOf(assignment: Assignment): string {
  return [...assignment].map(([path, value]) => `${path} is ${show(value)}`).join(' and ')
}
