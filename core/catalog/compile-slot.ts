import type { Campaign, Content, FrequencyCap, Slot } from '@slotstream/protocol'
import type { EligibleContent } from '../policies/proposal.js'
import { contentFeaturesOf } from '../segments/attributes.js'
import { featuresOf } from '../segments/compile-segments.js'
import { compileCandidates } from './candidates.js'
import type { ClauseList, Clauses } from './clauses.js'
import { factsOf } from './content-facts.js'
import { needsOf, type PolicyNeeds } from './policy-needs.js'
import { contentsOfSlot } from './slot-of-arm.js'
import { slotVersion } from './slot-version.js'

/** A content of a slot, ready to be decided about. */
export interface CompiledContent {
  readonly id: string
  readonly content: Content
  readonly facts: EligibleContent
  /** When it may be shown, in milliseconds since the epoch: from the first on, until before the second. */
  readonly startsAt: number
  readonly endsAt: number
  readonly isOutOfStock: boolean
  readonly caps: readonly FrequencyCap[]
  /** Which of the slot's conditions must hold. Undefined: it is broken, and the content is shown to no person. */
  readonly condition: number | undefined
}

/** A campaign, ready to be decided about. */
export interface CompiledCampaign {
  readonly id: string
  readonly mode: Campaign['mode']
  readonly where: readonly number[]
  /** Whether it reads features of content: then it is asked of each. */
  readonly asksContent: boolean
  /** Places of its content among that of the slot. */
  readonly contents: readonly number[]
}

/** What must be known of a person to decide about a slot. */
export interface SlotNeeds {
  readonly policy: PolicyNeeds
  /** Names of the features that conditions read. */
  readonly features: readonly string[]
  /** Names of the features of content that they read. */
  readonly contentFeatures: readonly string[]
  /** Whether conditions read segments. */
  readonly segments: boolean
  /** Whether there are conditions. */
  readonly conditions: boolean
  /** Whether some content has a cap, and whether some is not shown any more after an event. */
  readonly caps: boolean
  readonly stops: boolean
}

/** A slot with its content, compiled. */
export interface CompiledSlot {
  readonly slot: Slot
  /** By id, whatever order it was stored in, so that the same catalog draws the same. */
  readonly contents: readonly CompiledContent[]
  /** What policies see of each. */
  readonly facts: readonly EligibleContent[]
  /** Where each content is among them, by id. */
  readonly places: ReadonlyMap<string, number>
  /**
   * When contents may be shown, and which condition each has (-1: it is broken), as lists that are quick to go through.
   */
  readonly columns: {
    startsAt: Float64Array
    endsAt: Float64Array
    condition: Int32Array
    isOutOfStock: Uint8Array
  }
  /** Places of content with a cap of 0: it is shown to no person. */
  readonly closed: readonly number[]
  /** Conditions of contents, each once, as clauses that must hold. */
  readonly conditions: readonly (readonly number[])[]
  /** Of each of them: whether it reads features of content, and is asked of each. */
  readonly asksContent: readonly boolean[]
  /** Those that pin first, each in its order. */
  readonly campaigns: readonly CompiledCampaign[]
  /** Changes with the slot's policy and with the content it chooses from. */
  readonly policyVersion: string
  readonly needs: SlotNeeds
  /** Whether policies learn from what comes of its decisions: its own does, or it names what they earn. */
  readonly learns: boolean
  readonly clauses: Clauses
  /** Conditions that do not compile, each with its place. */
  readonly faults: readonly string[]
}

/** What content without a condition must hold. */
const NO_CLAUSES: ClauseList = { numbers: [], key: '', paths: [], asksContent: false }

/** Contents as they were compiled last: where nothing of one has changed, it is the same object again. */
const COMPILED = new WeakMap<Content, CompiledContent>()

/**
 * Compiles a slot with those contents of a site that it takes, see `compileWithContents`.
 *
 * @param all contents of the site
 * @param clauses of the site: slots share them
 */
export function compileSlot(slot: Slot, all: Iterable<Content>, clauses: Clauses): CompiledSlot {
  return compileWithContents(slot, contentsOfSlot(slot, all), clauses)
}

/**
 * Compiles a slot with its content, once for each state of the catalog. A condition that does not compile leaves its
 * content out, or its campaign, and is no failure.
 *
 * @param slotContents contents that the slot takes, in order
 * @param clauses of the site: slots share them
 */
export function compileWithContents(slot: Slot, slotContents: readonly Content[], clauses: Clauses): CompiledSlot {
  const candidates = slot.candidates && compileCandidates(slot.candidates)
  const faults: string[] = candidates?.ok === false ? [candidates.reason] : []
  const paths = new Set<string>()
  const add = (where: unknown, at: string): ClauseList | undefined => {
    if (where === undefined) return NO_CLAUSES
    const compiled = clauses.add(where)
    if (!compiled.ok) faults.push(`${at}: ${compiled.reason}`)
    else for (const path of compiled.value.paths) paths.add(path)
    return compiled.ok ? compiled.value : undefined
  }
  const conditions: (readonly number[])[] = []
  const asksContent: boolean[] = []
  const numberOf = new Map<string, number>()
  const conditionOf = (content: Content): number | undefined => {
    const list = add(content.where, `content ${content.id}`)
    if (!list) return undefined
    const existing = numberOf.get(list.key)
    if (existing !== undefined) return existing
    numberOf.set(list.key, conditions.length)
    asksContent.push(list.asksContent)
    return conditions.push(list.numbers) - 1
  }
  const contents = slotContents.map(content => compileContent(content, conditionOf(content)))
  const places = new Map(contents.map(({ content }, place) => [content.id, place]))
  const campaigns = (slot.campaigns ?? []).flatMap(({ id, where, mode, contentIds }) => {
    const compiled = add(where, `campaign ${id}`)
    const ofCampaign = [...new Set(contentIds)].flatMap(contentId => places.get(contentId) ?? [])
    if (!compiled) return []
    return [{ id, mode, where: compiled.numbers, asksContent: compiled.asksContent, contents: ofCampaign }]
  })
  return versioned({
    slot,
    contents,
    facts: contents.map(({ facts }) => facts),
    places,
    columns: {
      startsAt: Float64Array.from(contents, ({ startsAt }) => startsAt),
      endsAt: Float64Array.from(contents, ({ endsAt }) => endsAt),
      condition: Int32Array.from(contents, ({ condition }) => condition ?? -1),
      isOutOfStock: Uint8Array.from(contents, ({ isOutOfStock }) => (isOutOfStock ? 1 : 0)),
    },
    closed: [...contents.keys()].filter(place => contents[place]!.caps.some(({ count }) => count <= 0)),
    conditions,
    asksContent,
    campaigns: [...campaigns.filter(({ mode }) => mode === 'pin'), ...campaigns.filter(({ mode }) => mode !== 'pin')],
    needs: {
      policy: needsOf(slot.policy),
      features: featuresOf([...paths]),
      contentFeatures: contentFeaturesOf([...paths]),
      segments: paths.has('segments'),
      conditions: paths.size > 0,
      caps: contents.some(({ caps }) => caps.length > 0),
      stops: contents.some(({ content }) => content.stopAfter !== undefined),
    },
    learns: learnsFrom(slot),
    clauses,
    faults,
  })
}

/**
 * Returns a slot as it chooses by another policy, from the same contents: it shares them, their columns and conditions.
 * An arm takes a few hundred bytes, however many contents there are.
 *
 * @param slot differs from that of `base` in its policy alone
 */
export function withPolicy(base: CompiledSlot, slot: Slot): CompiledSlot {
  const { contents, facts, places, columns, closed, conditions, asksContent, campaigns, clauses, faults } = base
  return versioned({
    ...{ slot, contents, facts, places, columns, closed, conditions, asksContent, campaigns, clauses, faults },
    needs: { ...base.needs, policy: needsOf(slot.policy) },
    learns: learnsFrom(slot),
  })
}

/** Adds the version, which is worked out when it is asked for: of many arms few are. */
function versioned(parts: Omit<CompiledSlot, 'policyVersion'>): CompiledSlot {
  const { slot, contents } = parts
  let version: string | undefined
  return {
    ...parts,
    get policyVersion() {
      version ??= slotVersion(
        slot,
        contents.map(({ content }) => content),
      )
      return version
    },
  }
}

function learnsFrom({ policy, rewards }: Slot): boolean {
  return needsOf(policy).sums || rewards !== undefined
}

function compileContent(content: Content, condition: number | undefined): CompiledContent {
  const cached = COMPILED.get(content)
  if (cached && cached.condition === condition) return cached
  const { id, startsAt, endsAt, stock, caps } = content
  const compiled: CompiledContent = {
    id,
    content,
    facts: factsOf(content),
    startsAt: startsAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(startsAt),
    endsAt: endsAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(endsAt),
    isOutOfStock: stock !== undefined && !(stock > 0),
    caps: caps ?? [],
    condition,
  }
  COMPILED.set(content, compiled)
  return compiled
}
