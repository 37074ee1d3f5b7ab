import { BUILT_IN_FEATURES, compileFeatures, compileMessageCondition, compileSegments } from '@slotstream/core'
import type { FeatureDefinition, SegmentDefinition } from '@slotstream/protocol'

const VIEWED = { event: 'Product Viewed' }

/** Features over every kind of window, for tests of segments. */
export const SOME_FEATURES: FeatureDefinition[] = [
  { name: 'views', source: VIEWED, by: 'properties.category', aggregate: 'count' },
  { name: 'views_1h', source: VIEWED, aggregate: 'count', window: '1h' },
  { name: 'views_today', source: VIEWED, aggregate: 'count', window: '24h', tumbling: true },
  { name: 'views_session', source: VIEWED, aggregate: 'count', window: 'session' },
  { name: 'warmth', source: VIEWED, aggregate: 'count', halfLife: '1h' },
  { name: 'since_view', source: VIEWED, aggregate: 'sinceLast' },
]

/** Compiles segments over `SOME_FEATURES` and the built-in ones. */
export function someSegments(definitions: SegmentDefinition[]) {
  const features = compileFeatures(BUILT_IN_FEATURES, SOME_FEATURES, where => {
    const compiled = compileMessageCondition(where)
    if (!compiled.ok) throw new Error(compiled.reason)
    return message => compiled.value.matches(message)
  })
  const segments = compileSegments(definitions, [...features.byName.keys()])
  if (!segments.ok) throw new Error(segments.reason)
  return { features, segments: segments.value }
}
