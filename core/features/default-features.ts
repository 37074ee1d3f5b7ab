import { BUILT_IN_FEATURES, type BuiltInFeature } from './built-in.js'
import { compileFeatures } from './compile.js'
import { BUILT_IN_CONTENT_FEATURES } from './content/built-in-content.js'
import type { Features } from './feature.js'

/** The features that every site has: those of persons, and of content. */
export const ALL_BUILT_IN_FEATURES: readonly BuiltInFeature[] = [...BUILT_IN_FEATURES, ...BUILT_IN_CONTENT_FEATURES]

/** The features of a site that declares none. */
export const DEFAULT_FEATURES: Features = compileFeatures(ALL_BUILT_IN_FEATURES, [], () => () => true)
