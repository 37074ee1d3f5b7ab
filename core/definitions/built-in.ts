import type { PatternDefinition } from '@slotstream/protocol'
import { BUILT_IN_FEATURES, type BuiltInFeature } from '../features/built-in.js'
import { BUILTIN_PATTERNS } from '../patterns/builtin.js'

/** Definitions that every site has, unless it declares others of the same name or switches them off. */
export interface BuiltInDefinitions {
  features: readonly BuiltInFeature[]
  patterns: readonly PatternDefinition[]
}

/** What this version has. */
export const BUILT_IN: BuiltInDefinitions = { features: BUILT_IN_FEATURES, patterns: BUILTIN_PATTERNS }
