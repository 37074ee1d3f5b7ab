import type { DecisionTest } from '@slotstream/protocol'
import type { TestedCatalog } from './ask-as-given.js'
import { createRunDecisionTest } from './run-decision-test.js'
import { createFindCounterExamples, trialsOf } from './search/counter-example.js'
import { createTimeDecisions, type Timing } from './time-decision.js'

/** Options of checking decision tests. */
export interface CheckedWith extends Timing {
  /** The holdout of a named visitor depends on it. */
  siteId: string
  /** The present, in milliseconds since the epoch. */
  now: number
  /** Number of tests: the budget of the search for counter-examples is shared among them. */
  tests: number
}

/**
 * Creates the function that checks a decision test before its catalog is published: it runs the test; if that passes,
 * it searches for a person for whom it fails; and it measures how long decisions take.
 *
 * @returns function that resolves to a line for each expectation that is not met
 */
export function createCheckDecisionTest(
  catalog: TestedCatalog,
  { siteId, now, tests, ...timing }: CheckedWith,
): (test: DecisionTest) => Promise<string[]> {
  const run = createRunDecisionTest(catalog, siteId, now)
  const search = createFindCounterExamples(catalog, siteId, now, trialsOf(tests))
  const time = createTimeDecisions(catalog, siteId, now, timing)
  return async test => {
    const faults = run(test)
    return [...(faults.length > 0 ? faults : search(test)), ...(await time(test))]
  }
}
