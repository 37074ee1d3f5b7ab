import type { Campaign, Content, FrequencyCap, Slot } from '@slotstream/protocol'
import type { EligibleContent } from '../policies/proposal.js'
import { contentFeaturesOf } from '../segments/attributes.js'
import { featuresOf } from '../segments/compile-segments.js'
import { compileCandidates } from './candidates.js'
import { type Clauses, createConditionList } from './clauses.js'
import { factsOf } from './content-facts.js'
import { needsOf, type PolicyNeeds } from './policy-needs.js'
import { contentsOfSlot } from './slot-of-arm.js'
import { slotVersionInSteps } from './slot-version.js'
import { isStepEnd, toEnd } from './steps.js'

/** A content of a slot, compiled for decisions. */
export interface CompiledContent {
  readonly id: string
  readonly content: Content
  readonly facts: EligibleContent
  /** Period in which it may be shown, in milliseconds since the epoch. `endsAt` is exclusive. */
  readonly startsAt: number
  readonly endsAt: number
  readonly isOutOfStock: boolean
  readonly caps: readonly FrequencyCap[]
  /** Index of its condition in `conditions`. Undefined: it does not compile, and the content is never shown. */
  readonly condition: number | undefined
}

/** A campaign of a slot, compiled for decisions. */
export interface CompiledCampaign {
  readonly id: string
  readonly mode: Campaign['mode']
  /** Clauses that must hold, by number. */
  readonly where: readonly number[]
  /** Whether it reads features of content: then it is evaluated for each content. */
  readonly asksContent: boolean
  /** Indices of its content in `CompiledSlot.contents`. */
  readonly contents: readonly number[]
}

/** Facts about a person that deciding a slot requires. */
export interface SlotNeeds {
  readonly policy: PolicyNeeds
  /** Names of the person's features that conditions read. */
  readonly features: readonly string[]
  /** Names of the features of content that conditions read. */
  readonly contentFeatures: readonly string[]
  /** Whether conditions read segments. */
  readonly segments: boolean
  /** Whether any condition reads an attribute. */
  readonly conditions: boolean
  /** Whether any content has a cap, and whether any is stopped by an event (`stopAfter`). */
  readonly caps: boolean
  readonly stops: boolean
}

/** A slot with its content, compiled for decisions. Its lists are parallel: a place is an index into all of them. */
export interface CompiledSlot {
  readonly slot: Slot
  /** Sorted by id, so that the same catalog draws the same content whatever order it was stored in. */
  readonly contents: readonly CompiledContent[]
  /** Facts of each content, as policies see them. */
  readonly facts: readonly EligibleContent[]
  /** Place of each content, by its id. */
  readonly places: ReadonlyMap<string, number>
  /**
   * The fields that every decision reads, as typed arrays, which are faster to go through. `condition` -1: it does not
   * compile.
   */
  readonly columns: {
    startsAt: Float64Array
    endsAt: Float64Array
    condition: Int32Array
    isOutOfStock: Uint8Array
  }
  /** Places of content with a cap of 0, which is never shown. */
  readonly closed: readonly number[]
  /** Distinct conditions of contents, each as the numbers of its clauses. */
  readonly conditions: readonly (readonly number[])[]
  /** For each condition: whether it reads features of content, and so is evaluated for each content. */
  readonly asksContent: readonly boolean[]
  /** Campaigns that pin, then those that boost, each group in the order of the slot. */
  readonly campaigns: readonly CompiledCampaign[]
  /** Changes with the slot's policy and with the content it chooses from. */
  readonly policyVersion: string
  readonly needs: SlotNeeds
  /** Whether outcomes of its decisions are learned from: its policy learns, or the slot names rewards. */
  readonly learns: boolean
  readonly clauses: Clauses
  /** Conditions that do not compile, one line each: `content sale: …`. */
  readonly faults: readonly string[]
}

/** Compiled contents, by their object in the catalog: one that has not changed is not compiled again. */
const COMPILED = new WeakMap<Content, CompiledContent>()

/**
 * Compiles a slot with those of a site's contents that it takes, see `compileWithContents`.
 *
 * @param all contents of the site
 * @param clauses of the site: slots share them
 */
export function compileSlot(slot: Slot, all: Iterable<Content>, clauses: Clauses): CompiledSlot {
  return compileWithContents(slot, contentsOfSlot(slot, all), clauses)
}

/**
 * Compiles a slot with its content, once for each state of the catalog. Content and campaigns whose condition does not
 * compile are left out and listed in `faults`; nothing is thrown.
 *
 * @param slotContents contents that the slot takes, in order
 * @param clauses of the site: slots share them
 */
export function compileWithContents(slot: Slot, slotContents: readonly Content[], clauses: Clauses): CompiledSlot {
  return toEnd(compilingSlot(slot, slotContents, clauses))
}

/** Compiles a slot as `compileWithContents` does, in steps, between which other work can run. */
export function* compilingSlot(
  slot: Slot,
  slotContents: readonly Content[],
  clauses: Clauses,
): Generator<void, CompiledSlot> {
  const candidates = slot.candidates && compileCandidates(slot.candidates)
  const faults: string[] = candidates?.ok === false ? [candidates.reason] : []
  const list = createConditionList(clauses, faults)
  const count = slotContents.length
  const contents: CompiledContent[] = []
  const facts: EligibleContent[] = []
  const places = new Map<string, number>()
  const closed: number[] = []
  let [hasCaps, hasStops] = [false, false]
  const columns = {
    startsAt: new Float64Array(count),
    endsAt: new Float64Array(count),
    condition: new Int32Array(count),
    isOutOfStock: new Uint8Array(count),
  }
  for (const [place, content] of slotContents.entries()) {
    if (isStepEnd(place)) yield
    const compiled = compileContent(content, list.conditionOf(content))
    contents.push(compiled)
    facts.push(compiled.facts)
    places.set(compiled.id, place)
    columns.startsAt[place] = compiled.startsAt
    columns.endsAt[place] = compiled.endsAt
    columns.condition[place] = compiled.condition ?? -1
    columns.isOutOfStock[place] = compiled.isOutOfStock ? 1 : 0
    hasCaps ||= compiled.caps.length > 0
    hasStops ||= content.stopAfter !== undefined
    for (const { count: most } of compiled.caps) if (most <= 0 && closed.at(-1) !== place) closed.push(place)
  }
  const campaigns = (slot.campaigns ?? []).flatMap(({ id, where, mode, contentIds }) => {
    const compiled = list.add(where, `campaign ${id}`)
    const ofCampaign = [...new Set(contentIds)].flatMap(contentId => places.get(contentId) ?? [])
    if (!compiled) return []
    return [{ id, mode, where: compiled.numbers, asksContent: compiled.asksContent, contents: ofCampaign }]
  })
  const { conditions, asksContent } = list
  const paths = [...list.paths]
  return versioned({
    ...{ slot, contents, facts, places, columns, closed, conditions, asksContent, clauses, faults },
    campaigns: [...campaigns.filter(({ mode }) => mode === 'pin'), ...campaigns.filter(({ mode }) => mode !== 'pin')],
    needs: {
      policy: needsOf(slot.policy),
      features: featuresOf(paths),
      contentFeatures: contentFeaturesOf(paths),
      segments: paths.includes('segments'),
      conditions: paths.length > 0,
      caps: hasCaps,
      stops: hasStops,
    },
    learns: learnsFrom(slot),
  })
}

/**
 * Returns a compiled slot with another policy and the same contents. Contents, columns and conditions are shared, so
 * that an arm of an experiment takes a few hundred bytes, however many contents there are.
 *
 * @param slot must differ from that of `base` in its policy only
 */
export function withPolicy(base: CompiledSlot, slot: Slot): CompiledSlot {
  const { contents, facts, places, columns, closed, conditions, asksContent, campaigns, clauses, faults } = base
  return versioned({
    ...{ slot, contents, facts, places, columns, closed, conditions, asksContent, campaigns, clauses, faults },
    needs: { ...base.needs, policy: needsOf(slot.policy) },
    learns: learnsFrom(slot),
  })
}

/** Computes the version of a compiled slot in steps, so that it is there when it is first asked for. */
export function* versioning(compiled: CompiledSlot): Generator<void> {
  const { slot, contents } = compiled
  if (!VERSIONS.has(compiled)) VERSIONS.set(compiled, yield* slotVersionInSteps(slot, contents))
}

/** Versions of compiled slots that are known. */
const VERSIONS = new WeakMap<CompiledSlot, string>()

/** Adds the version, which is computed on first use: few of many arms are ever used. */
function versioned(parts: Omit<CompiledSlot, 'policyVersion'>): CompiledSlot {
  const { slot, contents } = parts
  let version: string | undefined
  return {
    ...parts,
    get policyVersion() {
      version ??= VERSIONS.get(this) ?? toEnd(slotVersionInSteps(slot, contents))
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
