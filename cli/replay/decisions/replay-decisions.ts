import {
  type Again,
  type CompiledSlot,
  createSlotComparer,
  createTournament,
  decideAgain,
  type SlotComparer,
  type SlotComparison,
  type Standings,
  type Tournament,
} from '@slotstream/core'
import type { Outcome } from '@slotstream/protocol'
import { type Alternative, otherSlot } from './alternative.js'
import type { StoredDecision } from './read-decisions.js'
import type { SlotVersion, SlotVersions } from './slot-versions.js'

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
  /** Those that are not compared, because their browsers seem to be programs. */
  programs: number
  /** By slot: who would have seen what otherwise. Absent: not one alternative was asked for */
  slots?: Record<string, SlotComparison>
  /** By slot: how several alternatives stand beside what runs. Absent: no several were asked for */
  tournaments?: Record<string, Standings>
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

/** An alternative, and how it is named. */
export interface NamedAlternative {
  name: string
  alternative: Alternative
}

/**
 * Does recorded decisions again, and compares them with what another policy or catalog would have shown.
 *
 * @param alternatives none: they are only done again; one: it is compared; several: they are in a tournament
 */
export async function replayDecisions(
  siteId: string,
  decisions: AsyncIterable<StoredDecision>,
  versions: SlotVersions,
  alternatives: readonly NamedAlternative[],
): Promise<ReplayReport> {
  const report: ReplayReport = {
    total: 0,
    reproduced: 0,
    ways: { decided: 0, drawn: 0 },
    undecided: 0,
    different: [],
    withoutCatalog: 0,
    programs: 0,
  }
  const comparers = new Map<string, SlotComparer>()
  const tournaments = new Map<string, Tournament>()
  const others = new Map<CompiledSlot, (CompiledSlot | undefined)[]>()
  for await (const decision of decisions) {
    const { record } = decision
    report.total++
    if (!DECIDED.includes(record.outcome)) {
      report.undecided++
      continue
    }
    const was = await versions.find(record)
    if (!was) report.withoutCatalog++
    const again = decideAgain(siteId, record, was?.slot)
    note(report, again, record.decisionId)
    // What does not come out the same is no measure for anything else.
    if (!was || again.trouble !== undefined || alternatives.length === 0) continue
    if (decision.isProgram) report.programs++
    else compare(decision, was)
  }
  if (alternatives.length === 1)
    report.slots = Object.fromEntries([...comparers].map(([slotId, comparer]) => [slotId, comparer.finish()]))
  if (alternatives.length > 1)
    report.tournaments = Object.fromEntries(
      [...tournaments].map(([slotId, tournament]) => [slotId, tournament.standings()]),
    )
  return report

  function compare(decision: StoredDecision, version: SlotVersion): void {
    const { slotId } = decision.record
    const was = version.slot
    const slots = others.get(was) ?? alternatives.map(({ alternative }) => otherSlot(alternative, version))
    others.set(was, slots)
    if (slots.every(slot => slot === undefined)) return
    if (alternatives.length > 1) {
      const names = alternatives.map(({ name }) => name)
      const tournament = tournaments.get(slotId) ?? createTournament(siteId, names)
      tournaments.set(slotId, tournament)
      tournament.add(decision, was, slots)
      return
    }
    const comparer = comparers.get(slotId) ?? createSlotComparer(siteId)
    comparers.set(slotId, comparer)
    comparer.add(decision, was, slots[0]!)
  }
}

function note(report: ReplayReport, { way, trouble }: Again, decisionId: string): void {
  if (trouble === undefined) {
    report.reproduced++
    report.ways[way]++
    return
  }
  const reason = REASONS[trouble]
  const difference = report.different.find(each => each.reason === reason) ?? { reason, decisions: 0, ids: [] }
  if (difference.decisions === 0) report.different.push(difference)
  difference.decisions++
  if (difference.ids.length < MOST_NAMED) difference.ids.push(decisionId)
}
