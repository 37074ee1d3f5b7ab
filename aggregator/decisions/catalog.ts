import {
  assignmentOf,
  type Clauses,
  type CompiledSlot,
  compileCandidates,
  createClauses,
  holdoutShare,
  isHeldOut,
  isHeldOutOfSite,
  keptArm,
  needsOfCandidates,
  type PolicyNeeds,
} from '@slotstream/core'
import {
  type Content,
  checkContent,
  checkSlot,
  type Experiment,
  fromKeyToken,
  isCatalogPublishedKey,
  type SiteHoldout,
  type Slot,
} from '@slotstream/protocol'
import { type CompiledSlots, createCompiledSlots } from './slots/compiled-slots.js'

/** Slots, content, experiments and holdouts of all sites, in memory. */
export interface Catalog {
  /** Returns a slot with its content, compiled once until either changes. Undefined: no such slot */
  slotOf(siteId: string, slotId: string): CompiledSlot | undefined
  /** Returns a slot as it was set, without compiling it. Undefined: no such slot */
  definitionOf(siteId: string, slotId: string): Slot | undefined
  /** Compiles large slots that were not yet, in steps. Undefined: all can be had at once */
  prepare(siteId: string, slots: readonly { id: string }[]): Promise<unknown> | undefined
  /** Returns all variants of a slot that may be in effect: the slot itself, and the arms of its experiments. */
  waysOf(siteId: string, slotId: string): readonly CompiledSlot[]
  /** Returns the variant of a slot that is in effect for a person, and the arm. Undefined: no such slot */
  slotFor(siteId: string, slotId: string, personId: string): SlotOfPerson | undefined
  /** Returns the facts that candidates of a slot's tournaments need, to be recorded. Undefined: no candidates */
  readByCandidates(siteId: string, slotId: string): PolicyNeeds | undefined
  /** Returns the share of persons who are held out of a slot: by its own holdout, or by that of the site. */
  holdoutOf(siteId: string, slot: Slot): number
  /** Tells whether a visitor is held out of a slot: the browser by its holdout, or the person by that of the site. */
  isHeldOut(siteId: string, slot: Slot, visitorId: string, personId: string): boolean
  /** Tells whether a person is held out of all slots of a site. */
  isHeldOutOfSite(siteId: string, personId: string): boolean
  /** Sets the holdout of a site. Undefined: none */
  setHoldout(siteId: string, holdout: SiteHoldout | undefined): void
  /** Replaces the experiments of a site. */
  setExperiments(siteId: string, experiments: readonly Experiment[]): void
  /** Returns the clauses that the slots of a site were compiled with. */
  clausesOf(siteId: string): Clauses
  /**
   * Applies an entry of the bucket `catalog`. An entry that cannot be used changes nothing: the previous version stays.
   *
   * @param value of the key. Undefined: it was deleted
   * @returns why the entry cannot be used; undefined: it is in effect
   */
  set(key: string, value: unknown): string | undefined
}

/** A slot as it chooses for one person. */
export interface SlotOfPerson {
  slot: CompiledSlot
  /** Experiment, arm and the shares of all arms. Absent: the person is in no experiment of the slot */
  assigned?: { experiment: string; arm: string; armShares: number[]; personId: string }
}

interface SiteCatalog {
  source: { slots: Map<string, Slot>; contents: Map<string, Content>; experiments: readonly Experiment[] }
  ready: CompiledSlots
  holdout: SiteHoldout
}

/**
 * Creates an empty catalog.
 *
 * @param onFaults is called with the conditions of a slot that do not compile, each time it is compiled
 */
export function createCatalog(
  onFaults: (siteId: string, slotId: string, faults: readonly string[]) => void = () => {},
): Catalog {
  const sites = new Map<string, SiteCatalog>()

  function siteFor(siteId: string): SiteCatalog {
    const existing = sites.get(siteId)
    if (existing) return existing
    const source = { slots: new Map(), contents: new Map(), experiments: NONE }
    const ready = createCompiledSlots(source, (slotId, faults) => onFaults(siteId, slotId, faults))
    const site: SiteCatalog = { source, ready, holdout: NO_HOLDOUT }
    sites.set(siteId, site)
    return site
  }

  const experimentsOf = (siteId: string): readonly Experiment[] => sites.get(siteId)?.source.experiments ?? NONE
  const siteHoldout = (siteId: string): SiteHoldout => sites.get(siteId)?.holdout ?? NO_HOLDOUT
  const isOutOfSite = (siteId: string, personId: string) => isHeldOutOfSite(siteId, personId, siteHoldout(siteId))

  return {
    slotOf: (siteId, slotId) => sites.get(siteId)?.ready.get(slotId),
    definitionOf: (siteId, slotId) => sites.get(siteId)?.source.slots.get(slotId),
    prepare(siteId, slots) {
      const { ready } = sites.get(siteId) ?? {}
      const preparing = ready ? slots.flatMap(({ id }) => ready.prepare(id) ?? []) : []
      return preparing.length > 0 ? Promise.all(preparing) : undefined
    },
    waysOf: (siteId, slotId) => sites.get(siteId)?.ready.waysOf(slotId) ?? [],
    slotFor(siteId, slotId, personId) {
      const experiments = experimentsOf(siteId)
      const assigned = assignmentOf(siteId, personId, slotId, experiments)
      const experiment = experiments.find(({ id }) => id === assigned?.experiment)
      const endedArm = experiment ? undefined : keptArm(slotId, experiments)
      const arm = experiment?.arms.find(({ id }) => id === assigned!.arm) ?? endedArm?.arm
      const slot = sites.get(siteId)?.ready.get(slotId, experiment ?? endedArm?.experiment, arm)
      if (!slot || !experiment || !assigned) return slot && { slot }
      const { arm: inArm, shares: armShares } = assigned
      return { slot, assigned: { experiment: experiment.id, arm: inArm, armShares, personId } }
    },
    readByCandidates: (siteId, slotId) => needsOfCandidates(slotId, experimentsOf(siteId)),
    holdoutOf: (siteId, { holdout }) => holdoutShare(holdout, siteHoldout(siteId).share),
    isHeldOut: (siteId, slot, visitorId, personId) =>
      isHeldOut(siteId, visitorId, slot) || isOutOfSite(siteId, personId),
    isHeldOutOfSite: isOutOfSite,
    setHoldout(siteId, holdout = NO_HOLDOUT) {
      siteFor(siteId).holdout = holdout
    },
    setExperiments(siteId, experiments) {
      const { source, ready } = siteFor(siteId)
      const slotIds = new Set([...source.experiments, ...experiments].map(({ slot }) => slot))
      source.experiments = experiments
      ready.forgetArms(slotIds)
    },
    clausesOf: siteId => sites.get(siteId)?.ready.clauses() ?? createClauses(),
    set(key, value) {
      if (isCatalogPublishedKey(key)) return undefined
      const [siteId = '', kind, token = ''] = key.split('.')
      const { source, ready } = siteFor(siteId)
      const id = fromKeyToken(token)
      if (kind === 'slot') {
        const before = source.slots.get(id)
        const reason = replace(source.slots, id, value, checkUsableSlot)
        if (source.slots.get(id) !== before) ready.changeSlot(id)
        return reason
      }
      if (kind === 'content') {
        const before = source.contents.get(id)
        const reason = replace(source.contents, id, value, checkContent)
        const after = source.contents.get(id)
        if (after !== before) ready.changeContent(before, after)
        return reason
      }
      return 'the key names neither a slot nor a content'
    },
  }
}

const NONE: readonly Experiment[] = []

const NO_HOLDOUT: SiteHoldout = { share: 0 }

/** Checks a slot with `checkSlot`, and that its `candidates` compile. */
function checkUsableSlot(raw: unknown): ReturnType<typeof checkSlot> {
  const checked = checkSlot(raw)
  const candidates = checked.ok && checked.value.candidates ? compileCandidates(checked.value.candidates) : undefined
  return candidates?.ok === false ? { ok: false, reason: candidates.reason } : checked
}

function replace<T extends { id: string }>(
  entries: Map<string, T>,
  id: string,
  value: unknown,
  check: (raw: unknown) => { ok: true; value: T } | { ok: false; reason: string },
): string | undefined {
  if (value === undefined) {
    entries.delete(id)
    return undefined
  }
  const checked = check(value)
  const reason = checked.ok
    ? checked.value.id === id
      ? undefined
      : `the id is ${checked.value.id}, the key says ${id}`
    : checked.reason
  if (checked.ok && reason === undefined) entries.set(id, checked.value)
  return reason && `${reason}${entries.has(id) ? ': the version before stays' : ''}`
}
