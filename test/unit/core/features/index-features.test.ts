import {
  type BuiltInFeature,
  builtInSince,
  compileFeatures,
  type Feature,
  featuresAfter,
  versionOfFeature,
  withFormer,
} from '@slotstream/core'
import { describe, expect, it } from 'vitest'

const SEEN: BuiltInFeature = { name: 'seen', source: { event: 'Seen' }, aggregate: 'count' }
const SOLD: BuiltInFeature = { ...SEEN, name: 'sold', source: { event: 'Sold' }, entity: 'content' }
const LATER: BuiltInFeature = { ...SOLD, name: 'later' }
const OTHERWISE: BuiltInFeature = { ...SOLD, aggregate: 'sum', value: 'properties.price' }

const compile = (definitions: object[], revision: number, addedIn: Record<string, number> = {}) =>
  compileFeatures([SEEN], definitions as never, () => () => true, revision, addedIn)

const versions = (features: Iterable<Feature>) => [...features].map(({ version }) => version)

describe('features of content that are declared anew', () => {
  const former = compile([SOLD], 3)
  const declared = compile([OTHERWISE, LATER], 7)

  it('are counted beside the former ones, which are served until their history is counted', () => {
    const features = withFormer(declared, former, 3)
    const { byName, rulesByEvent } = features.ofContent
    expect(versions(byName.values())).toEqual([SOLD, LATER].map(versionOfFeature))
    expect(versions(rulesByEvent.get('Sold')!.map(({ feature }) => feature))).toEqual(
      [OTHERWISE, LATER, SOLD].map(versionOfFeature),
    )
    expect(features.filling).toEqual(new Set(['sold', 'later']))
    expect(features.rules).toEqual(declared.rules)
  })

  it('are the ones to fill, and no others', () => {
    const { ofContent, byVersion } = featuresAfter(withFormer(declared, former, 3), 3)
    expect(versions(ofContent.rules.map(([, { feature }]) => feature))).toEqual(
      [OTHERWISE, LATER].map(versionOfFeature),
    )
    expect(byVersion.size).toBe(0)
    expect(featuresAfter(declared, 7).ofContent.rules).toEqual([])
  })
})

describe('built-in features', () => {
  const version = versionOfFeature(SEEN)

  it('came when their version was noted first, and what was never noted with what was noted last', () => {
    expect(builtInSince(undefined, 0, [SEEN])).toEqual({})
    expect(builtInSince({ features: { seen: { version, addedIn: 0 } } }, 9, [SEEN])).toEqual({})
    expect(builtInSince({ features: { seen: { version, addedIn: 4 } } }, 9, [SEEN])).toEqual({ seen: 4 })
    expect(builtInSince({ features: { seen: { version } } }, 9, [SEEN])).toEqual({ seen: 9 })
    expect(builtInSince({ features: { seen: { version: 'former', addedIn: 0 } } }, 9, [SEEN])).toEqual({ seen: 9 })
    expect(builtInSince({ features: {} }, 9, [SEEN])).toEqual({ seen: 9 })
  })

  it('make the revision of a site’s features a later one, and count from when a set has them again', () => {
    const features = compileFeatures([SEEN], [], () => () => true, 3, {}, { seen: 9 })
    expect([features.revision, features.byName.get('seen')!.addedIn]).toEqual([9, 9])
    expect(compile([], 12, { seen: 12 }).byName.get('seen')).toMatchObject({ addedIn: 12, isBuiltIn: true })
    expect(compile([SEEN], 12, { seen: 5 }).byName.get('seen')).toMatchObject({ addedIn: 5, isBuiltIn: false })
  })
})
