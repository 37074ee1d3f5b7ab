import {
  BUILT_IN_FEATURES,
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
} from '@slotstream/core'
import { SIGNALS, type StoredMessage } from '@slotstream/protocol'
import type { Log } from '@slotstream/runtime'
import type { SiteDefinitions } from './watch-definitions.js'

/** What a site declares about its profiles, ready for use. */
export interface CompiledDefinitions {
  features: Features
  patterns: CompiledPatterns
  segments: CompiledSegments
}

/** What of it profiles are made with. */
export type ReducerDefinitions = CompiledDefinitions

/** What a site has that declares nothing. */
export const DEFAULT_DEFINITIONS: CompiledDefinitions = {
  features: DEFAULT_FEATURES,
  patterns: DEFAULT_PATTERNS,
  segments: required(compileSegments([])),
}

/** The compiled definitions of all sites. */
export interface SitesDefinitions {
  of(siteId: string): CompiledDefinitions
  /** Compiles what a site declares. Of what cannot be compiled, the set before stays. */
  set(siteId: string, definitions: SiteDefinitions): void
}

/** Creates the compiled definitions of all sites, empty. */
export function createSitesDefinitions(log: Log): SitesDefinitions {
  const sites = new Map<string, CompiledDefinitions>()

  function of(siteId: string): CompiledDefinitions {
    return sites.get(siteId) ?? DEFAULT_DEFINITIONS
  }

  /** Returns what `compile` makes of a set; what is in use where it throws. */
  function usable<T>(siteId: string, kind: keyof CompiledDefinitions, before: T, compile: () => T): T {
    try {
      return compile()
    } catch (error) {
      log.error({ err: error, siteId }, `the ${kind} of a site cannot be used, the set before stays`)
      return before
    }
  }

  return {
    of,
    set(siteId, { features, patterns, segments }) {
      const before = of(siteId)
      const compiledFeatures = usable(siteId, 'features', before.features, () =>
        compileFeatures(BUILT_IN_FEATURES, features.items, compileWhere, features.revision, features.addedIn),
      )
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

function compileWhere(where: object): (message: StoredMessage) => boolean {
  const condition = required(compileMessageCondition(where))
  return message => condition.matches(message)
}

function required<T>(compiled: { ok: true; value: T } | { ok: false; reason: string }): T {
  if (!compiled.ok) throw new Error(compiled.reason)
  return compiled.value
}
