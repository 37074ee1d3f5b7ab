import {
  type CompiledPatterns,
  type CompiledSegments,
  compileFeatures,
  compileMessageCondition,
  compilePatterns,
  compileSegments,
  DEFAULT_FEATURES,
  DEFAULT_PATTERNS,
  type Features,
  withBuiltinPatterns,
  withFormer,
} from '@slotstream/core'
import { type DefinitionSet, NO_DEFINITIONS, SIGNALS, type StoredMessage } from '@slotstream/protocol'
import type { Log } from '@slotstream/runtime'
import { type BuiltInEdition, FIRST_EDITION } from './built-in-edition.js'
import type { SiteDefinitions } from './watch-definitions.js'

/** The definitions of a site about its profiles, ready for use. */
export interface CompiledDefinitions {
  features: Features
  patterns: CompiledPatterns
  segments: CompiledSegments
  /** True if visitors who seem to be programs may be in segments. Default: false */
  includesBots?: boolean
  /** Events that content of the site names in `stopAfter`. Default: none */
  stopEvents?: ReadonlySet<string>
}

/** The definitions that profiles are made with. */
export type ReducerDefinitions = CompiledDefinitions

/** The patterns of what only counts. */
export const NO_PATTERNS: CompiledPatterns = required(compilePatterns([]))

/** The definitions of a site that declares nothing. */
export const DEFAULT_DEFINITIONS: CompiledDefinitions = {
  features: DEFAULT_FEATURES,
  patterns: DEFAULT_PATTERNS,
  segments: required(compileSegments([])),
}

/** The compiled definitions of all sites. */
export interface SitesDefinitions {
  of(siteId: string): CompiledDefinitions
  /**
   * Compiles what a site declares. Of what cannot be compiled, the set before stays.
   *
   * @param served what of its features is served until history is counted. Default: what it declares
   */
  set(siteId: string, definitions: SiteDefinitions, served?: ServedFeatures): void
  /** Returns the sites that declare something. */
  siteIds(): string[]
}

/** The features of a site whose history is counted: it is not for those that were declared later. */
export interface ServedFeatures {
  former: DefinitionSet<'features'>
  /** The revision of the set; 0: the site declared nothing. */
  filledTo: number
}

/**
 * Creates the compiled definitions of all sites, empty.
 *
 * @param edition what every site has. Default: what it always had
 */
export function createSitesDefinitions(log: Log, edition: BuiltInEdition = FIRST_EDITION): SitesDefinitions {
  const sites = new Map<string, CompiledDefinitions>()
  const isFirst = edition === FIRST_EDITION
  const ofOthers = isFirst
    ? DEFAULT_DEFINITIONS
    : { ...DEFAULT_DEFINITIONS, features: compileSet(NO_DEFINITIONS, edition) }

  function definitionsOf(siteId: string): CompiledDefinitions {
    return sites.get(siteId) ?? ofOthers
  }

  /** Returns what `compile` makes of a set; what is in use where it throws. */
  function usable<T>(siteId: string, kind: 'features' | 'patterns' | 'segments', before: T, compile: () => T): T {
    try {
      return compile()
    } catch (error) {
      log.error({ err: error, siteId }, `the ${kind} of a site cannot be used, the set before stays`)
      return before
    }
  }

  return {
    of: definitionsOf,
    siteIds: () => [...sites.keys()],
    set(siteId, { features, patterns, segments }, served) {
      const before = definitionsOf(siteId)
      const compiledFeatures = usable(siteId, 'features', before.features, () => {
        const declared = compileSet(features, edition)
        return served ? withFormer(declared, compileSet(served.former, edition), served.filledTo) : declared
      })
      const compiledPatterns = usable(siteId, 'patterns', before.patterns, () =>
        required(compilePatterns(withBuiltinPatterns(patterns.items))),
      )
      const signals = [...SIGNALS, ...compiledPatterns.byName.keys()]
      sites.set(siteId, {
        features: compiledFeatures,
        patterns: compiledPatterns,
        segments: usable(siteId, 'segments', before.segments, () =>
          required(compileSegments(segments.items, [...compiledFeatures.byName.keys()], signals)),
        ),
      })
    },
  }
}

function compileSet(
  { items, revision, addedIn }: Pick<DefinitionSet<'features'>, 'items' | 'revision' | 'addedIn'>,
  { features, since }: BuiltInEdition,
): Features {
  return compileFeatures(features, items, compileWhere, revision, addedIn, since)
}

function compileWhere(where: object): (message: StoredMessage) => boolean {
  const condition = required(compileMessageCondition(where))
  return message => condition.matches(message)
}

function required<T>(compiled: { ok: true; value: T } | { ok: false; reason: string }): T {
  if (!compiled.ok) throw new Error(compiled.reason)
  return compiled.value
}
