export { onSessionFeatures, sessionFeatures } from '../features/values.js'
export type { FeatureValue, FeatureValues } from '../types.js'
