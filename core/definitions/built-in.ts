import type { PatternDefinition } from '@slotstream/protocol'
import type { BuiltInFeature } from '../features/built-in.js'
import { ALL_BUILT_IN_FEATURES } from '../features/default-features.js'
import { BUILTIN_PATTERNS } from '../patterns/builtin.js'

/** Definitions that every site has, unless it declares others of the same name or switches them off. */
export interface BuiltInDefinitions {
  features: readonly BuiltInFeature[]
  patterns: readonly PatternDefinition[]
}

/** The built-in definitions of this version. */
export const BUILT_IN: BuiltInDefinitions = { features: ALL_BUILT_IN_FEATURES, patterns: BUILTIN_PATTERNS }
