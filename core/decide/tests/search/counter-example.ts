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

/** Least number of persons that are tried for a test, however many tests there are. */
const LEAST_TRIALS = 20

/** Returns how many persons are tried for each of so many tests. */
export function trialsOf(tests: number): number {
  return Math.max(LEAST_TRIALS, Math.min(MOST_TRIALS, Math.floor(MOST_TRIALS_IN_ALL / Math.max(1, tests))))
}

/**
 * Creates the function that looks for a person who is as a test says and for whom the catalog breaks it. Of what the
 * test leaves open it tries the values that the conditions of the slot name, those just beyond, other types and none: a
 * person that it finds is real, but it does not find all. It is the same search each time.
 *
 * @param siteId,now see `createRunDecisionTest`
 * @param trials persons that are tried for a test at most
 * @returns one line for each `never` and `always` that such a person breaks
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
 * Yields persons to whom a content that is never to be shown may be: who meet its condition, and are not shown others.
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

/** Yields persons to whom nothing is shown that comes before a content, as far as conditions can leave it out. */
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

/** Yields persons to whom a content may not be shown: who do not meet its condition, or are shown others first. */
function* casesOfAlways(id: string, { contents, slot, solver }: Search): Generator<Assignment> {
  yield* solver.solutions(contents.find(content => content.id === id)?.where, false, id)
  for (const campaign of slot.campaigns ?? []) {
    for (const other of contents)
      if (other.id !== id && campaign.contentIds.includes(other.id))
        yield* joined(solver.solutions(campaign.where, true, other.id), solver.solutions(other.where, true, other.id))
    // A campaign that shows it may be what all others lack.
    if (campaign.where) yield* solver.solutions(campaign.where, false, id)
  }
  for (const other of contents) if (other.id !== id) yield* solver.solutions(other.where, true, other.id)
}

/** Returns the content that a campaign's condition is to be asked of: one where it is the same for all. */
function askedOf(where: object, contentIds: readonly string[]): readonly string[] {
  return JSON.stringify(where).includes('"content.features.') ? contentIds : contentIds.slice(0, 1)
}

function orElse(assignments: Assignment[], otherwise: Assignment[]): Assignment[] {
  return assignments.length > 0 ? assignments : otherwise
}

/** Leaves out what it does not take to break the test. */
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
