import type { DecisionTest } from '@slotstream/protocol'
import type { TestedCatalog } from './ask-as-given.js'
import { createRunDecisionTest } from './run-decision-test.js'
import { createFindCounterExamples, trialsOf } from './search/counter-example.js'
import { createTimeDecisions, type Timing } from './time-decision.js'

/** What decision tests are checked by, beside the catalog. */
export interface CheckedWith extends Timing {
  /** Site, on which the holdout of a named visitor depends. */
  siteId: string
  /** The present, in milliseconds since the epoch. */
  now: number
  /** How many tests there are: the search for counter-examples is shared among them. */
  tests: number
}

/**
 * Creates the function that checks a decision test before its catalog is published: it runs it, looks for a person who
 * breaks it where it passes, and measures how long it takes.
 *
 * @returns what is not as the test expects it, a line each
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
