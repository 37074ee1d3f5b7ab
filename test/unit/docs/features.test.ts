import type { FeatureDefinition } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { BUILT_IN_FEATURES } from '#core/features/built-in.js'
import { compileFeatures } from '#core/features/compile.js'
import { BUILT_IN_CONTENT_FEATURES } from '#core/features/content/built-in-content.js'
import { contentValues } from '#core/features/content/content-values.js'
import { countContents } from '#core/features/content/count-contents.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import type { Features } from '#core/features/feature.js'
import { draftFeatures, emptyStates } from '#core/features/state/reduce.js'
import { featureValues } from '#core/features/state/values.js'
import { addAmounts, noContents } from '#core/learning/contents/content-totals.js'
import { code, parseMessages, readPage, rowsUnder } from './table-rows.js'

const page = readPage('features.md')
const AT = Date.UTC(2026, 10, 2, 13)

function valueAfter(features: Features, name: string, messages: string): unknown {
  const draft = draftFeatures(emptyStates(0), features)
  for (const message of parseMessages(messages)) draft.add(message, Date.parse(message.timestamp))
  return featureValues(draft.soFar(), features, AT, [name]).get(name)?.value
}

/** Values of the content `tent` after messages, each of an envelope of its own. */
function contentAfter(messages: string) {
  const totals = noContents()
  for (const message of parseMessages(messages)) {
    const counting = countContents(DEFAULT_FEATURES)
    counting.add(message, Date.parse(message.timestamp))
    addAmounts(totals, 'shop', counting.amounts(), 1)
  }
  return contentValues(totals.sites.get('shop')!.byId.get('tent')!.rows, DEFAULT_FEATURES, AT)
}

/** Decayed sums are rounded to millionths. */
const rounded = (value: unknown) =>
  JSON.parse(JSON.stringify(value), (_key, each) => (typeof each === 'number' ? Math.round(each * 1e5) / 1e5 : each))

describe('docs/features.md', () => {
  it.each(rowsUnder(page, 'Aggregates'))('computes %s of %s', (definition, messages, value) => {
    const feature = { name: 'it', source: { event: 'E' }, ...JSON.parse(code(definition!)[0]!) } as FeatureDefinition
    const features = compileFeatures([], [feature], () => () => true)
    expect(rounded(valueAfter(features, 'it', messages!))).toEqual(JSON.parse(code(value!)[0]!))
  })

  it.each(rowsUnder(page, 'Built-in features'))('computes %s: %s', (name, _text, messages, value) => {
    expect(rounded(valueAfter(DEFAULT_FEATURES, code(name!)[0]!, messages!))).toEqual(JSON.parse(code(value!)[0]!))
  })

  it.each(rowsUnder(page, 'Features of content'))('computes %s: %s', (name, _text, messages, value, bySlot) => {
    const { value: all, slots } = contentAfter(messages!).get(code(name!)[0]!)!
    expect(rounded(all)).toEqual(JSON.parse(code(value!)[0]!))
    expect(rounded(slots)).toEqual(JSON.parse(code(bySlot!)[0]!))
  })

  it('describes every built-in feature of content as the code does', () => {
    const described = rowsUnder(page, 'Features of content').map(([name, text]) => [code(name!)[0], text])
    const inCode = BUILT_IN_CONTENT_FEATURES.map(({ name, description }) => [name, description])
    expect(described).toEqual([...inCode, ['content_click_rate', described.at(-1)![1]]])
  })

  it('describes every built-in feature as the code does', () => {
    const described = rowsUnder(page, 'Built-in features').map(([name, text]) => [code(name!)[0], text])
    expect(described).toEqual(BUILT_IN_FEATURES.map(({ name, description }) => [name, description]))
  })
})
