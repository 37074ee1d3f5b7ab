import {
  type Again,
  type CompiledSlot,
  createSlotComparer,
  decideAgain,
  type SlotComparer,
  type SlotComparison,
} from '@slotstream/core'
import type { Outcome } from '@slotstream/protocol'
import { type Alternative, otherSlot } from './alternative.js'
import type { StoredDecision } from './read-decisions.js'
import type { SlotVersions } from './slot-versions.js'

/** Result of a replay. */
export interface ReplayReport {
  /** Decisions of the period. */
  total: number
  /** Those that came out the same, byte for byte. */
  reproduced: number
  /** How those were done again: by `decide()`, or from the numbers of their record. */
  ways: Record<Again['way'], number>
  /** Requests for which nothing was decided: no process answered in time, or there is no such slot. */
  undecided: number
  /** Decisions that did not come out the same, by why, with the first ids. */
  different: { reason: string; decisions: number; ids: string[] }[]
  /** Decisions whose slot, as it was, is not kept any more. They are done again from their record alone. */
  withoutCatalog: number
  /** By slot: who would have seen what otherwise. Absent: nothing was asked for */
  slots?: Record<string, SlotComparison>
}

/** Outcomes that are decided: of others there is nothing to do again. */
const DECIDED: readonly Outcome[] = ['served', 'holdout', 'stale', 'empty']

/** Ids that a report names for each reason, at most. */
const MOST_NAMED = 5

const REASONS: Record<NonNullable<Again['trouble']>, string> = {
  no_draw: 'the record has no draw: it is of before it was recorded',
  imported: "it was imported: another system's draw",
  different: 'the draw has another result: the record was changed, or another system wrote it',
  other_content: 'the catalog of then says otherwise which content could be shown',
}

/**
 * Does recorded decisions again, and compares them with what another policy or catalog would have shown.
 *
 * @param alternative undefined: they are only done again
 */
export async function replayDecisions(
  siteId: string,
  decisions: AsyncIterable<StoredDecision>,
  versions: SlotVersions,
  alternative: Alternative | undefined,
): Promise<ReplayReport> {
  const report: ReplayReport = {
    total: 0,
    reproduced: 0,
    ways: { decided: 0, drawn: 0 },
    undecided: 0,
    different: [],
    withoutCatalog: 0,
  }
  const comparers = new Map<string, SlotComparer>()
  const others = new Map<CompiledSlot, CompiledSlot | undefined>()
  for await (const decision of decisions) {
    const { record } = decision
    report.total++
    if (!DECIDED.includes(record.outcome)) {
      report.undecided++
      continue
    }
    const was = await versions.find(record)
    if (!was) report.withoutCatalog++
    note(report, decideAgain(siteId, record, was), record.decisionId)
    if (!was || !alternative) continue
    if (!others.has(was)) others.set(was, otherSlot(alternative, was))
    const other = others.get(was)
    const comparer = comparers.get(record.slotId) ?? createSlotComparer(siteId)
    if (other) comparers.set(record.slotId, comparer)
    if (other) comparer.add(decision, was, other)
  }
  if (alternative)
    report.slots = Object.fromEntries([...comparers].map(([slotId, comparer]) => [slotId, comparer.finish()]))
  return report
}

function note(report: ReplayReport, { way, trouble }: Again, decisionId: string): void {
  if (trouble === undefined) {
    report.reproduced++
    report.ways[way]++
    return
  }
  const reason = REASONS[trouble]
  const found = report.different.find(each => each.reason === reason) ?? { reason, decisions: 0, ids: [] }
  if (found.decisions === 0) report.different.push(found)
  found.decisions++
  if (found.ids.length < MOST_NAMED) found.ids.push(decisionId)
}
