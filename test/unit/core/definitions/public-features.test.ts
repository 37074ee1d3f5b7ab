import { compileSessionFeatures } from '@slotstream/core/session'
import type { DeclaredFeature, FeatureDefinition } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { definitionFaults } from '#core/definitions/check-definitions.js'
import { publicFeatures } from '#core/definitions/public-features.js'
import { versionOfFeature } from '#core/features/compile.js'
import { checkDefinitionForm } from '#protocol/site/definitions/definition-set.js'

const feature = (more: object): FeatureDefinition => ({
  name: 'views',
  source: { event: 'Product Viewed' },
  aggregate: 'count',
  window: 'session',
  public: true,
  ...more,
})

const faultsOf = (...features: DeclaredFeature[]) => {
  const form = checkDefinitionForm('features', features)
  return form.ok ? definitionFaults('features', { features, patterns: [], segments: [] }) : form.faults
}

describe('features that are public', () => {
  it('are of the session only, and what a browser counts as the servers do', () => {
    expect(
      faultsOf(feature({ source: { event: 'Product Viewed', where: { 'properties.price': { $gt: 10 } } } })),
    ).toEqual([])
    expect(faultsOf(feature({ window: undefined, entity: 'session' }))).toEqual([])
  })

  it.each([
    [{ window: '24h' }, /^features\[0\]\.public: browsers know the present session only/],
    [{ window: undefined }, /^features\[0\]\.public: browsers know the present session only/],
    [{ window: undefined, entity: 'session', halfLife: '1h' }, /^features\[0\]\.public: browsers know/],
    [{ public: 'yes' }, /^features\[0\]\.public: must be true or false/],
    [
      { source: { event: 'Product Viewed', where: { 'properties.name': { $regex: '^T' } } } },
      /^features\[0\]\.public: source\.where\.properties\.name\.\$regex: is a pattern, which browsers do not evaluate/,
    ],
    [{ by: 'context.traffic.channel' }, /^features\[0\]\.public: by: context\.traffic is set by the collector/],
    [{ by: 'product.category' }, /^features\[0\]\.public: by: product\.category reads the catalog/],
    [{ aggregate: 'last', value: 'context.page.url' }, /public: value: context\.page\.url is set by the collector/],
    [
      { source: { event: 'page' }, by: 'properties.url' },
      /^features\[0\]\.public: by: properties\.url is set by the collector/,
    ],
    [
      { source: { event: 'A', where: { $or: [{ context: { bot: 1 } }] } } },
      /^features\[0\]\.public: source\.where: context\.browser is set by the collector/,
    ],
  ])('with a fault, %j, are rejected with the reason', (more, line) => {
    expect(faultsOf(feature(more))[0]).toMatch(line)
  })

  it('may read the address of what is no page view: a property of that name is the site’s own', () => {
    expect(faultsOf(feature({ by: 'properties.url' }))).toEqual([])
  })

  it('are bounded in bytes: pages load them', () => {
    const many = Array.from({ length: 40 }, (_, index) =>
      feature({ name: `f${index}`, source: { event: 'A', where: { 'properties.x': { $in: ['x'.repeat(1_000)] } } } }),
    )
    expect(faultsOf(...many)).toEqual([expect.stringMatching(/^features: those that are public have \d+ bytes/)])
  })
})

describe('what pages get', () => {
  it('is what is public, and of built-in features what is neither replaced nor switched off', () => {
    const names = publicFeatures([
      feature({ description: 'A secret' }),
      { ...feature({ name: 'hidden' }), public: false },
      { name: 'session_clicks', off: true },
      { ...feature({ name: 'session_duration' }), public: false },
    ])
    expect(names.map(({ name }) => name)).toEqual(['session_page_views', 'session_engaged_time', 'views'])
    expect(JSON.stringify(names)).not.toMatch(/secret|description|public/)
  })

  it('has the version of the definition: to publish a feature counts nothing anew', () => {
    const [sent] = publicFeatures([feature({})], [])
    const { public: _public, ...plain } = feature({})
    expect(versionOfFeature(sent!)).toBe(versionOfFeature(feature({})))
    expect(versionOfFeature(plain)).toBe(versionOfFeature(feature({})))
  })
})

describe('a browser', () => {
  it.each([
    null,
    'a text',
    {},
    { name: 'a', source: null, aggregate: 'count', window: 'session' },
    { name: 'a', source: { event: 'A' }, aggregate: 'constructor', window: 'session' },
    { name: 'a', source: { event: 'A' }, aggregate: 'count', window: '5m' },
    { name: 'a', source: { event: 'A' }, aggregate: 'count', window: 'session', by: 5 },
    { name: 'a', source: { event: 'A', where: { b: { $regex: '(a+)+$' } } }, aggregate: 'count', window: 'session' },
    { name: 'a', source: { event: 'A', where: 7 }, aggregate: 'count', window: 'session' },
  ])('leaves out what it can’t count, %j, with a reason', definition => {
    const { features, leftOut } = compileSessionFeatures([definition, feature({})])
    expect([...features.byName.keys()]).toEqual(['views'])
    expect(leftOut).toHaveLength(1)
  })
})
