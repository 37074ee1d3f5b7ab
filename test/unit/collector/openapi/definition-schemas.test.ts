import { checkDefinitionForm } from '@slotstream/protocol'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, it } from 'vitest'
import { DEFINITION_SCHEMAS } from '#collector/openapi/definition-schemas.js'
import { FEATURE_FIELDS } from '#protocol/site/definitions/feature-fields.js'

const isFeature = new Ajv2020({ strict: false }).compile(DEFINITION_SCHEMAS.Feature!)
const VIEWS = { name: 'views', source: { event: 'E' }, aggregate: 'count' }

it('the description of a feature names the fields that the check knows', () => {
  const [declared] = DEFINITION_SCHEMAS.Feature!.oneOf as { properties: object }[]
  expect(Object.keys(declared!.properties)).toEqual(Object.keys(FEATURE_FIELDS))
})

it.each([
  [VIEWS, true],
  [{ name: 'views', off: true }, true],
  [{ ...VIEWS, source: { events: { E: 1, F: 3 } }, halfLife: '7d', by: 'properties.category' }, true],
  [{ ...VIEWS, window: '30d', tumbling: true, entity: 'content', keys: 500, description: 'd' }, true],
  [{ ...VIEWS, agregate: 1 }, false],
  [{ ...VIEWS, window: 'week' }, false],
  [{ ...VIEWS, keys: 0 }, false],
  [{ ...VIEWS, source: { event: 'E', events: { E: 1 } } }, false],
  [{ ...VIEWS, source: { events: { E: 0 } } }, false],
  [{ name: 'a b', off: true }, false],
  [{ name: 'views', off: false }, false],
])('%j: the check and the description agree', (feature, isGood) => {
  expect(isFeature(feature), JSON.stringify(isFeature.errors)).toBe(isGood)
  expect(checkDefinitionForm('features', [feature]).ok).toBe(isGood)
})
