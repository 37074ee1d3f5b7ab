import {
  type Clauses,
  type CompiledSlot,
  compileWithContents,
  contentsOfSlot,
  createClauses,
  inOrder,
  keptArm,
  slotOfArm,
  withPolicy,
} from '@slotstream/core'
import { type Content, type Experiment, type ExperimentArm, joined, type Slot } from '@slotstream/protocol'
import { createSlotMembers } from './slot-members.js'

/** Unused clauses of a site that are tolerated, beyond as many as are in use. */
const SPARE_CLAUSES = 1_000

/** The parts of a site's catalog that slots are compiled from. */
export interface SlotSource {
  readonly slots: ReadonlyMap<string, Slot>
  readonly contents: ReadonlyMap<string, Content>
  readonly experiments: readonly Experiment[]
}

/** The slots of a site, each compiled when it is first needed after a change. */
export interface CompiledSlots {
  /** Returns a slot, or the variant of an arm of an experiment. Undefined: no such slot */
  get(slotId: string, experiment?: Experiment, arm?: ExperimentArm): CompiledSlot | undefined
  /** Returns a slot, the variant that `keptArm` says, and those of the arms of its running experiments. */
  waysOf(slotId: string): readonly CompiledSlot[]
  /** Notes that a slot has changed: it is compiled again when it is next needed. */
  changeSlot(slotId: string): void
  /** Notes that a content has changed: slots that took it, or take it, are compiled again when next needed. */
  changeContent(before: Content | undefined, after: Content | undefined): void
  /** Notes that the experiments of slots have changed: only their arms are compiled again. */
  forgetArms(slotIds: Iterable<string>): void
  /** Returns the clauses that the slots are compiled with. A change may replace them, if most are unused. */
  clauses(): Clauses
}

/** A compiled slot, and its arms by experiment and arm. */
interface Ready {
  slot: CompiledSlot
  arms: Map<string, CompiledSlot>
  ways?: CompiledSlot[]
}

/**
 * Creates the compiled slots of a site.
 *
 * @param onFaults is called with the conditions of a slot that do not compile, each time it is compiled
 */
export function createCompiledSlots(
  source: SlotSource,
  onFaults: (slotId: string, faults: readonly string[]) => void,
): CompiledSlots {
  const ready = new Map<string, Ready>()
  /** Number of clauses that each slot uses. Those that slots share are counted for each. */
  const used = new Map<string, number>()
  const members = createSlotMembers()
  let clauses = createClauses()

  function compile(slotId: string, slot: Slot, contents: readonly Content[]): CompiledSlot {
    const compiled = compileWithContents(slot, contents, clauses)
    used.set(slotId, (used.get(slotId) ?? 0) + clausesIn(compiled))
    if (compiled.faults.length > 0) onFaults(slotId, compiled.faults)
    return compiled
  }

  function readyOf(slotId: string): Ready | undefined {
    const existing = ready.get(slotId)
    const slot = source.slots.get(slotId)
    if (existing || !slot) return existing
    used.delete(slotId)
    const contents = inOrder(members.of(slot, source.contents.values()))
    const compiled: Ready = { slot: compile(slotId, slot, contents), arms: new Map() }
    ready.set(slotId, compiled)
    return compiled
  }

  function get(slotId: string, experiment?: Experiment, arm?: ExperimentArm): CompiledSlot | undefined {
    const entry = readyOf(slotId)
    if (!entry || !experiment || !arm || !(arm.policy || arm.contentIds)) return entry?.slot
    const name = joined([experiment.id, arm.id])
    const existing = entry.arms.get(name)
    if (existing) return existing
    const [chosen, all] = slotOfArm(entry.slot.slot, source.contents, arm)
    const compiled = arm.contentIds
      ? compile(slotId, chosen, contentsOfSlot(chosen, all))
      : withPolicy(entry.slot, chosen)
    entry.arms.set(name, compiled)
    return compiled
  }

  /** Replaces the clauses, and so all compiled slots, if most clauses are unused. */
  function renewClauses(): void {
    let inUse = 0
    for (const count of used.values()) inUse += count
    if (clauses.size <= 2 * inUse + SPARE_CLAUSES) return
    clauses = createClauses()
    ready.clear()
  }

  return {
    get,
    waysOf(slotId) {
      const entry = readyOf(slotId)
      if (!entry) return []
      const { experiments } = source
      const endedArm = keptArm(slotId, experiments)
      const tried = experiments.filter(({ slot, stopped }) => slot === slotId && !stopped)
      entry.ways ??= [
        entry.slot,
        ...[endedArm && get(slotId, endedArm.experiment, endedArm.arm)].flatMap(way => way ?? []),
        ...tried.flatMap(experiment => experiment.arms.flatMap(arm => get(slotId, experiment, arm) ?? [])),
      ]
      return entry.ways
    },
    changeSlot(slotId) {
      members.forget(slotId)
      ready.delete(slotId)
      if (!source.slots.has(slotId)) used.delete(slotId)
      renewClauses()
    },
    changeContent(before, after) {
      for (const slotId of members.change(before, after)) ready.delete(slotId)
      renewClauses()
    },
    forgetArms(slotIds) {
      for (const slotId of slotIds) {
        const entry = ready.get(slotId)
        if (!entry) continue
        ready.set(slotId, { slot: entry.slot, arms: new Map() })
        used.set(slotId, clausesIn(entry.slot))
      }
      renewClauses()
    },
    clauses: () => clauses,
  }
}

function clausesIn({ conditions, campaigns }: CompiledSlot): number {
  const numbers = new Set<number>()
  for (const list of conditions) for (const number of list) numbers.add(number)
  for (const { where } of campaigns) for (const number of where) numbers.add(number)
  return numbers.size
}
