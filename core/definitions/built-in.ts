import type { FeatureDefinition, PatternDefinition } from '@slotstream/protocol'
import { BUILTIN_PATTERNS } from '../patterns/builtin.js'

/** Definitions that every site has, unless it declares others of the same name or switches them off. */
export interface BuiltInDefinitions {
  features: readonly FeatureDefinition[]
  patterns: readonly PatternDefinition[]
}

/** What this version has. */
export const BUILT_IN: BuiltInDefinitions = { features: [], patterns: BUILTIN_PATTERNS }
