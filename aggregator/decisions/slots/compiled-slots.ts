import {
  type Clauses,
  type CompiledSlot,
  compileWithContents,
  compilingSlot,
  contentsOfSlot,
  createClauses,
  inOrder,
  keptArm,
  ordering,
  slotOfArm,
  versioning,
  withPolicy,
} from '@slotstream/core'
import { type Content, type Experiment, type ExperimentArm, joined, type Slot } from '@slotstream/protocol'
import { createPreparer, SMALL_SLOT } from './prepare-slots.js'
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
  /**
   * Compiles a slot that was not yet and that may be large, in steps, so that nothing waits for it but what needs it.
   * Undefined: it can be had at once
   */
  prepare(slotId: string): Promise<void> | undefined
  /**
   * Notes that a slot has changed: it is compiled again when it is next needed; a large one soon, in steps, and until
   * then it stays as it was.
   */
  changeSlot(slotId: string): void
  /** Notes that a content has changed: slots that took it, or take it, are compiled again as after `changeSlot`. */
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

type OnFaults = (slotId: string, faults: readonly string[]) => void

/**
 * Creates the compiled slots of a site.
 *
 * @param onFaults is called with the conditions of a slot that do not compile, each time it is compiled
 */
export function createCompiledSlots(source: SlotSource, onFaults: OnFaults): CompiledSlots {
  const ready = new Map<string, Ready>()
  const members = createSlotMembers()
  const stock = createClauseStock(onFaults)
  const preparer = createPreparer(preparing)

  /** Compiles a slot in steps. Clauses that are replaced meanwhile end it: the slot is compiled when it is needed. */
  function* preparing(slotId: string): Generator<void, void> {
    const slot = source.slots.get(slotId)
    if (!slot) return
    const slotContents = yield* members.finding(slot, source.contents.values())
    const contents = yield* ordering(slotContents, ready.get(slotId)?.slot.contents)
    const compiled = yield* compilingSlot(slot, contents, stock.clauses())
    yield* versioning(compiled)
    if (compiled.clauses !== stock.clauses() || !source.slots.has(slotId)) return
    stock.forget(slotId)
    ready.set(slotId, { slot: stock.note(slotId, compiled), arms: new Map() })
    for (const way of waysOf(slotId)) yield* versioning(way)
  }

  /** Notes that a slot is to be compiled again. */
  function change(slotId: string): void {
    const size = ready.get(slotId)?.slot.contents.length ?? 0
    const isThere = source.slots.has(slotId)
    if (!isThere) stock.forget(slotId)
    if (isThere && (size > SMALL_SLOT || preparer.isBusy(slotId))) preparer.prepareSoon(slotId)
    else ready.delete(slotId)
  }

  function readyOf(slotId: string): Ready | undefined {
    const existing = ready.get(slotId)
    const slot = source.slots.get(slotId)
    if (existing || !slot) return existing
    stock.forget(slotId)
    const compiled = compileWithContents(slot, inOrder(members.of(slot, source.contents.values())), stock.clauses())
    const entry: Ready = { slot: stock.note(slotId, compiled), arms: new Map() }
    ready.set(slotId, entry)
    return entry
  }

  function get(slotId: string, experiment?: Experiment, arm?: ExperimentArm): CompiledSlot | undefined {
    const entry = readyOf(slotId)
    if (!entry || !experiment || !arm || !(arm.policy || arm.contentIds)) return entry?.slot
    const name = joined([experiment.id, arm.id])
    const existing = entry.arms.get(name)
    if (existing) return existing
    const [chosen, all] = slotOfArm(entry.slot.slot, source.contents, arm)
    const compiled = arm.contentIds
      ? stock.note(slotId, compileWithContents(chosen, contentsOfSlot(chosen, all), stock.clauses()))
      : withPolicy(entry.slot, chosen)
    entry.arms.set(name, compiled)
    return compiled
  }

  function waysOf(slotId: string): readonly CompiledSlot[] {
    const entry = readyOf(slotId)
    if (!entry) return []
    entry.ways ??= [entry.slot, ...armsInUse(slotId, source.experiments).flatMap(arm => get(slotId, ...arm) ?? [])]
    return entry.ways
  }

  /** Replaces clauses, and so all compiled slots, if most are unused: those of a slot in the making are not counted. */
  function renewClauses(): void {
    if (!preparer.isBusy() && stock.renew()) ready.clear()
  }

  return {
    get,
    waysOf,
    prepare(slotId) {
      if (ready.has(slotId) || !source.slots.has(slotId) || source.contents.size <= SMALL_SLOT) return undefined
      return preparer.prepare(slotId)
    },
    changeSlot(slotId) {
      members.forget(slotId)
      change(slotId)
      renewClauses()
    },
    changeContent(before, after) {
      for (const slotId of members.change(before, after)) change(slotId)
      renewClauses()
    },
    forgetArms(slotIds) {
      for (const slotId of slotIds) {
        const entry = ready.get(slotId)
        if (!entry) continue
        ready.set(slotId, { slot: entry.slot, arms: new Map() })
        stock.recount(slotId, entry.slot)
      }
      renewClauses()
    },
    clauses: stock.clauses,
  }
}

/** Returns the arms by which a slot may choose now: the one that `keptArm` says, and those of experiments that run. */
function armsInUse(slotId: string, experiments: readonly Experiment[]): [Experiment, ExperimentArm][] {
  const ended = keptArm(slotId, experiments)
  const tried = experiments.filter(({ slot, stopped }) => slot === slotId && !stopped)
  return [
    ...(ended ? [[ended.experiment, ended.arm] as [Experiment, ExperimentArm]] : []),
    ...tried.flatMap(experiment => experiment.arms.map((arm): [Experiment, ExperimentArm] => [experiment, arm])),
  ]
}

/** Keeps the clauses of a site's slots, and how many of them each slot uses. */
function createClauseStock(onFaults: OnFaults) {
  /** Number of clauses by slot. Those that slots share are counted for each. */
  const used = new Map<string, number>()
  let clauses = createClauses()

  return {
    clauses: () => clauses,
    recount(slotId: string, compiled: CompiledSlot): void {
      used.set(slotId, clausesIn(compiled))
    },
    /** Counts the clauses of a compiled slot beside those of its arms, and tells of its faults. */
    note(slotId: string, compiled: CompiledSlot): CompiledSlot {
      used.set(slotId, (used.get(slotId) ?? 0) + clausesIn(compiled))
      if (compiled.faults.length > 0) onFaults(slotId, compiled.faults)
      return compiled
    },
    forget: (slotId: string) => used.delete(slotId),
    /** Replaces the clauses if most are unused. Returns whether it did */
    renew(): boolean {
      let inUse = 0
      for (const count of used.values()) inUse += count
      if (clauses.size <= 2 * inUse + SPARE_CLAUSES) return false
      clauses = createClauses()
      return true
    },
  }
}

function clausesIn({ conditions, campaigns }: CompiledSlot): number {
  const numbers = new Set<number>()
  for (const list of conditions) for (const number of list) numbers.add(number)
  for (const { where } of campaigns) for (const number of where) numbers.add(number)
  return numbers.size
}
