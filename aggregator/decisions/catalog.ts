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

/** The sites' slots and content, in memory. */
export interface Catalog {
  /** Returns a slot with what can appear in it: compiled once, until it or content of it changes. */
  slotOf(siteId: string, slotId: string): CompiledSlot | undefined
  /** Returns a slot in all ways in which it may choose: as it says itself, and as arms of its experiments do. */
  waysOf(siteId: string, slotId: string): readonly CompiledSlot[]
  /** Returns a slot as it chooses for a person, and the arm. Undefined: there is no such slot */
  slotFor(siteId: string, slotId: string, personId: string): SlotOfPerson | undefined
  /** Returns what candidates of tournaments in a slot read of a person. Undefined: there are none */
  readByCandidates(siteId: string, slotId: string): PolicyNeeds | undefined
  /** Returns the share of the persons who are held out of a slot: by its own holdout, or by that of the site. */
  holdoutOf(siteId: string, slot: Slot): number
  /** Whether a visitor is held out of a slot, with this browser, or as this person. */
  isHeldOut(siteId: string, slot: Slot, visitorId: string, personId: string): boolean
  /** Whether a person is held out of all slots of a site. */
  isHeldOutOfSite(siteId: string, personId: string): boolean
  /** Sets who is held out of a whole site. Undefined: none */
  setHoldout(siteId: string, holdout: SiteHoldout | undefined): void
  /** Puts the experiments of a site in the place of those before. */
  setExperiments(siteId: string, experiments: readonly Experiment[]): void
  /** Returns the clauses that the slots of a site were compiled with. */
  clausesOf(siteId: string): Clauses
  /**
   * Puts what a key of the bucket `catalog` holds now; undefined: nothing any more. What can't be used changes nothing:
   * the version before stays. Returns why it can't, if it can't.
   */
  set(key: string, value: unknown): string | undefined
}

/** A slot as it chooses for one person. */
export interface SlotOfPerson {
  slot: CompiledSlot
  /** Experiment, arm and the shares of all arms. Absent: the slot chooses as it says itself */
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
 * @param onFaults called with the conditions of a slot that do not compile, each time it is compiled
 */
export function createCatalog(
  onFaults: (siteId: string, slotId: string, faults: readonly string[]) => void = () => {},
): Catalog {
  const sites = new Map<string, SiteCatalog>()

  function siteFor(siteId: string): SiteCatalog {
    const known = sites.get(siteId)
    if (known) return known
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
    waysOf: (siteId, slotId) => sites.get(siteId)?.ready.waysOf(slotId) ?? [],
    slotFor(siteId, slotId, personId) {
      const experiments = experimentsOf(siteId)
      const assigned = assignmentOf(siteId, personId, slotId, experiments)
      const experiment = experiments.find(({ id }) => id === assigned?.experiment)
      const kept = experiment ? undefined : keptArm(slotId, experiments)
      const arm = experiment?.arms.find(({ id }) => id === assigned!.arm) ?? kept?.arm
      const slot = sites.get(siteId)?.ready.get(slotId, experiment ?? kept?.experiment, arm)
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

/** As `checkSlot`; a slot whose `candidates` say nothing that can be asked is of no use, however it got there. */
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
