import type { DecisionTest } from '@slotstream/protocol'
import { missesOfCandidates } from '../../catalog/candidates.js'
import { detailOf } from '../../catalog/eligible.js'
import { reasonAt } from '../../catalog/reasons.js'
import { type AskedTest, createAskAsGiven, type TestedCatalog } from './ask-as-given.js'

/** Contents that a fault names, at most. */
const MOST_NAMED = 5

/**
 * Creates the function that runs decision tests against a catalog. It decides by the code that serves visitors, and
 * enumerates instead of sampling.
 *
 * @param siteId the holdout of a named visitor depends on it
 * @param now the present, in milliseconds since the epoch
 * @returns function that returns a line for each expectation that is not met
 */
export function createRunDecisionTest(
  catalog: TestedCatalog,
  siteId: string,
  now: number,
): (test: DecisionTest) => string[] {
  const ask = createAskAsGiven(catalog, siteId, now)
  return test => {
    const askedTest = ask(test)
    return askedTest ? misses(test, askedTest) : [`there is no slot ${JSON.stringify(test.slot)}`]
  }
}

function misses({ expect }: DecisionTest, askedTest: AskedTest): string[] {
  const { never = [], always = [], anyOf, outcome } = expect
  const { answer } = askedTest
  const { possible, certain } = answer
  const faults: string[] = []
  for (const id of never) if (possible.has(id)) faults.push(`never ${id}: it can be shown`)
  for (const id of always) if (!certain.has(id)) faults.push(`always ${id}: ${whyNotCertain(id, askedTest)}`)
  const others = anyOf === undefined ? [] : [...possible].filter(id => !anyOf.includes(id))
  if (others.length > 0) faults.push(`anyOf: ${named(others)} can be shown, too`)
  if (anyOf !== undefined && possible.size === 0)
    faults.push(`anyOf: nothing can be shown, the outcome is ${answer.outcome}`)
  if (outcome !== undefined && outcome !== answer.outcome)
    faults.push(`outcome: it is ${answer.outcome}, not ${outcome}`)
  return faults
}

/** Returns why a content is not certain to be shown: why it cannot be, or what else can. */
export function whyNotCertain(id: string, askedTest: AskedTest): string {
  const { possible } = askedTest.answer
  if (!possible.has(id)) return `it cannot be shown, ${whyNot(id, askedTest)}`
  return `${named([...possible].filter(other => other !== id))} can be shown, too`
}

function whyNot(id: string, askedTest: AskedTest): string {
  const { answer, slot, situation } = askedTest
  const { outcome, decided } = answer
  const place = slot.places.get(id)
  if (place === undefined) return whyNotTaken(id, askedTest)
  const reason = reasonAt(decided.reasons, place)
  if (reason === undefined) return outcome === 'holdout' ? 'the visitor is in the holdout' : 'other content comes first'
  const detail = detailOf(slot, place, reason, situation)
  return detail === undefined ? reason.replaceAll('_', ' ') : `${reason.replaceAll('_', ' ')}: ${detail}`
}

function whyNotTaken(id: string, { slot, catalog }: AskedTest): string {
  const content = catalog.content.find(each => each.id === id)
  const [miss] = content ? missesOfCandidates(slot.slot, content) : []
  return miss === undefined ? 'the slot has no such content' : `the slot does not take it: ${miss}`
}

function named(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED
  return `${ids.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
