import type { JsonObject } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { checkVersions } from '#tracking-plan/compare/check-versions.js'
import { compareSchemas } from '#tracking-plan/compare/compare-schemas.js'

const base: JsonObject = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    price: { type: 'number', minimum: 0 },
    size: { enum: ['S', 'M', 'L'] },
    lines: { type: 'array', items: { type: 'object', properties: { sku: { type: 'string' } } } },
    address: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
  required: ['id'],
}

/** The base schema with some of its properties replaced; undefined takes one out. */
const withProperties = (changed: Record<string, JsonObject | undefined>, rest: JsonObject = {}): JsonObject => ({
  ...base,
  properties: JSON.parse(JSON.stringify({ ...(base.properties as JsonObject), ...changed })),
  ...rest,
})

describe('a change of a schema', () => {
  it.each([
    ['a new optional property', withProperties({ color: { type: 'string' } }), 'addition', 'color is new, optional'],
    ['a property that is needed no more', { ...base, required: [] }, 'addition', 'id is optional now'],
    ['more allowed values', withProperties({ size: { enum: ['S', 'M', 'L', 'XL'] } }), 'addition', 'size "XL" too'],
    [
      'a wider type',
      withProperties({ id: { type: ['string', 'null'] } }),
      'addition',
      'id type: string → string or null',
    ],
    ['a lower minimum', withProperties({ price: { type: 'number', minimum: -1 } }), 'addition', 'price minimum 0 → -1'],
    [
      'a property that is not described any more',
      withProperties({ price: undefined }),
      'addition',
      'price is not described any more',
    ],
    ['a property that is needed now', { ...base, required: ['id', 'price'] }, 'revision', 'price is needed now'],
    ['fewer allowed values', withProperties({ size: { enum: ['S', 'M'] } }), 'revision', 'size not "L" any more'],
    [
      'a narrower type',
      withProperties({ price: { type: 'integer', minimum: 0 } }),
      'revision',
      'price type: number → integer',
    ],
    ['a limit', withProperties({ id: { type: 'string', maxLength: 9 } }), 'revision', 'id maxLength none → 9'],
    [
      'a finer step',
      withProperties({ price: { type: 'number', minimum: 0, multipleOf: 0.01 } }),
      'revision',
      'price multipleOf none → 0.01',
    ],
    ['a pattern', withProperties({ id: { type: 'string', pattern: '^a' } }), 'revision', 'id pattern is new'],
    [
      'another type of an optional property',
      withProperties({ price: { type: 'string' } }),
      'revision',
      'price type: number → string',
    ],
    ['no others any more', { ...base, additionalProperties: false }, 'revision', 'others are not allowed any more'],
    [
      'another type within a list',
      withProperties({ lines: { type: 'array', items: { type: 'object', properties: { sku: { type: 'number' } } } } }),
      'revision',
      'lines[].sku type: string → number',
    ],
    [
      'what is needed in an optional object',
      withProperties({
        address: { type: 'object', properties: { city: { type: 'string' } }, required: ['city', 'zip'] },
      }),
      'revision',
      'address.zip is new and needed',
    ],
    [
      'what cannot be compared',
      { ...base, patternProperties: { '^x': { type: 'number' } } },
      'revision',
      'patternProperties changed',
    ],
    ['a new property that is needed', { ...base, required: ['id', 'shop'] }, 'model', 'shop is new and needed'],
    [
      'another type of a needed property',
      withProperties({ id: { type: 'integer' } }),
      'model',
      'id type: string → integer',
    ],
    [
      'a needed property that is not allowed any more',
      withProperties({ id: undefined }, { additionalProperties: false, required: [] }),
      'model',
      'id is not allowed any more',
    ],
  ] as [string, JsonObject, string, string][])('%s', (_what, after, step, words) => {
    const changes = compareSchemas(base, after)
    const worst = ['model', 'revision', 'addition'].find(sort => changes.some(change => change.step === sort))
    expect(changes.map(({ path, what }) => `${path} ${what}`).join('\n')).toContain(words)
    expect(worst).toBe(step)
    expect(compareSchemas(after, after)).toEqual([])
  })

  it('is none when only words change, or where something is defined', () => {
    const { id, ...others } = base.properties as Record<string, JsonObject>
    const rewritten: JsonObject = {
      $id: 'https://x.example/2',
      description: 'In other words',
      ...base,
      properties: { ...others, id: { $ref: '#/$defs/id', title: 'Id' } },
      $defs: { id: id!, unused: { type: 'number' } },
    }
    expect(compareSchemas(base, rewritten)).toEqual([])
  })

  it('is seen behind references, also of schemas that refer to themselves', () => {
    const tree = (type: string): JsonObject => ({
      type: 'object',
      properties: { name: { $ref: '#/$defs/name' }, children: { type: 'array', items: { $ref: '#' } } },
      $defs: { name: { type } },
    })
    expect(compareSchemas(tree('string'), tree('number'))).toContainEqual({
      step: 'revision',
      path: 'name',
      what: 'type: string → number',
    })
  })

  it('compares steps as decimals: a step of 0.01 takes what one of 0.1 took', () => {
    const stepped = (multipleOf: number): JsonObject => ({ properties: { price: { type: 'number', multipleOf } } })
    expect(compareSchemas(stepped(0.1), stepped(0.01))).toMatchObject([{ step: 'addition' }])
    expect(compareSchemas(stepped(0.01), stepped(0.1))).toMatchObject([{ step: 'revision' }])
  })

  it('takes properties for properties, whatever they are called', () => {
    const titled = (type: string): JsonObject => ({
      type: 'object',
      properties: { title: { type }, description: { type }, $defs: { type }, enum: { type } },
    })
    expect(compareSchemas(titled('string'), titled('number'))).toHaveLength(4)
  })
})

describe('the number of a version', () => {
  const later = { ...base, required: ['id', 'shop'] }

  it('that says less than the change is, is wrong, and the right one is named', () => {
    expect(checkVersions({ '1-0-0': base, '1-0-1': later })).toMatchObject([
      { from: '1-0-0', to: '1-0-1', claimed: 'addition', actual: 'model', callIt: '2-0-0' },
    ])
    expect(checkVersions({ '1-2-3': base, '1-2-4': { ...base, additionalProperties: false } })).toMatchObject([
      { claimed: 'addition', actual: 'revision', callIt: '1-3-0' },
    ])
  })

  it('may say more', () => {
    const [step] = checkVersions({ '1-0-0': base, '2-0-0': withProperties({ color: { type: 'string' } }) })
    expect(step).toMatchObject({ claimed: 'model', actual: 'addition' })
    expect(step).not.toHaveProperty('callIt')
  })

  it('is compared with the one before it, by number, not by text', () => {
    const versions = { '1-0-10': base, '1-0-9': base, '1-0-2': base }
    expect(checkVersions(versions).map(({ from, to }) => [from, to])).toEqual([
      ['1-0-2', '1-0-9'],
      ['1-0-9', '1-0-10'],
    ])
  })
})
