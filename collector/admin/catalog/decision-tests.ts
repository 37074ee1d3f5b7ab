import { createCheckDecisionTest, missingContents } from '@slotstream/core'
import { checkDecisionTests, type DecisionTest, shownFaults } from '@slotstream/protocol'
import { createSlices } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'
import { wholeOf } from './store/catalog-store.js'
import type { CatalogState } from './store/state.js'

/** Returns the decision tests of a body. Throws Failure `malformed` with a line for each fault. */
export function decisionTestsOf({ tests = [] }: Record<string, unknown>): DecisionTest[] {
  const checked = checkDecisionTests(tests)
  if (checked.ok) return checked.value
  throw new Failure('malformed', `nothing was stored: ${checked.reason}`, checked.faults)
}

/**
 * Checks decision tests against a catalog as it will be: runs them, looks for persons who break those that pass, and
 * measures how long decisions take, in this process.
 *
 * @returns a line for each content that they name and that there is not
 * @throws Failure `malformed` with a line for each that fails
 */
export async function refuseFailing(
  siteId: string,
  tests: readonly DecisionTest[],
  state: CatalogState,
): Promise<string[]> {
  if (tests.length === 0) return []
  const [catalog, now] = [await wholeOf(state), Date.now()]
  const pauseIfLong = createSlices()
  const clock = () => performance.now()
  const check = createCheckDecisionTest(catalog, { siteId, now, tests: tests.length, clock, pause: pauseIfLong })
  const contentIds = new Set(catalog.content.map(({ id }) => id))
  const [faults, missing]: [string[], string[]] = [[], []]
  for (const [index, test] of tests.entries()) {
    await pauseIfLong()
    const name = test.name === undefined ? '' : ` ${test.name}`
    const labelled = (line: string) => `tests[${index}]${name}: ${line}`
    faults.push(...(await check(test)).map(labelled))
    missing.push(...missingContents(test, contentIds).map(labelled))
  }
  if (faults.length > 0)
    throw new Failure('malformed', `nothing was stored: a decision test fails: ${faults[0]}`, shownFaults(faults))
  return shownFaults(missing)
}
