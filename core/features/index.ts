export { BUILT_IN_FEATURES, type BuiltInFeature, CLICK_EVENTS } from './built-in.js'
export {
  ALL_BUILT_IN_FEATURES,
  type CompileWhere,
  compileFeatures,
  DEFAULT_FEATURES,
  versionOfFeature,
} from './compile.js'
export { BUILT_IN_CONTENT_FEATURES } from './content/built-in-content.js'
export { type ContentRow, type ContentValue, contentValues } from './content/content-values.js'
export { explainFeature, type FeatureExplanation } from './explain.js'
export type { Feature, Features } from './feature.js'
export { featureAlone, featuresAfter, withFormer } from './index-features.js'
export { mergeStates } from './state/merge-states.js'
export { type FeatureValue, featureValues } from './state/values.js'
