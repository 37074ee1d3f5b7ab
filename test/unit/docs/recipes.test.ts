import { readFileSync } from 'node:fs'
import {
  applyAndDetect,
  BUILT_IN,
  BUILT_IN_FEATURES,
  compileFeatures,
  compileMessageCondition,
  compilePatterns,
  compileSegments,
  compileWhere,
  contentConditionFaults,
  definitionFaults,
  featureValues,
  namesInUse,
  segmentsOf,
  slotConditionFaults,
} from '@slotstream/core'
import {
  type Content,
  checkContent,
  checkDefinitionForm,
  checkSlot,
  DEFINITION_KINDS,
  type Definitions,
  type EventEnvelope,
  type Profile,
  type Slot,
  type StoredMessage,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { hashText } from '#aggregator/hash-text.js'
import { personAttributes } from '#core/segments/person-attributes.js'
import { messageAt } from '../core/features/some-features.js'

type Recipe = Definitions & { slots: Slot[]; content: Content[] }

const AT = Date.UTC(2026, 10, 2, 15)
const page = readFileSync(new URL('../../../docs/recipes.md', import.meta.url), 'utf8')
const code = (cell: string) => [...cell.matchAll(/`([^`]*)`/g)].map(match => match[1]!)

const RECIPES = page
  .split(/^## /mu)
  .slice(1)
  .map(section => ({
    trade: section.split('\n')[0]!,
    recipe: JSON.parse(/```json\n([\s\S]*?)```/.exec(section)![1]!) as Recipe,
    rows: section
      .split('\n')
      .filter(line => line.startsWith('| `'))
      .map(line => line.split(' | ').map(code)),
  }))

function parseMessage(text: string): StoredMessage {
  const [, time, event, properties] = /^(\d\d:\d\d) ([^{]+?)(?: (\{.*\}))?$/.exec(text)!
  return messageAt(Date.parse(`2026-11-02T${time}Z`), event!, properties && JSON.parse(properties))
}

function required<T>(compiled: { ok: true; value: T } | { ok: false; reason: string }): T {
  if (!compiled.ok) throw new Error(compiled.reason)
  return compiled.value
}

/** What is known of a visitor after messages, each in an envelope of its own, with timers fired when they are due. */
function knownAfter(
  { features: declared, patterns: declaredPatterns, segments: declaredSegments }: Recipe,
  texts: string[],
) {
  const features = compileFeatures(BUILT_IN_FEATURES, declared, where => {
    const condition = required(compileMessageCondition(where))
    return message => condition.matches(message)
  })
  const patterns = required(compilePatterns(declaredPatterns as never))
  const segments = required(compileSegments(declaredSegments))
  let profile: Profile | undefined
  let seq = 0
  const signals: string[] = []
  const apply = (at: number, fields: Partial<EventEnvelope>) => {
    const envelope: EventEnvelope = {
      siteId: 's',
      visitorId: 'anna',
      receivedAt: new Date(at).toISOString(),
      messages: [],
      ...fields,
    }
    const applied = applyAndDetect(profile, envelope, ++seq, hashText, { features, patterns })
    profile = applied.profile
    signals.push(...applied.signals.map(({ signal }) => signal))
  }
  const fireUntil = (until: number) => {
    for (let due = profile?.patterns?.due; due !== undefined && due <= until; due = profile?.patterns?.due)
      apply(due, { timer: { at: due, anonymousId: 'anna', userId: '' } })
  }
  for (const message of texts.map(parseMessage)) {
    const at = Date.parse(message.timestamp)
    fireUntil(at)
    apply(at, { messages: [message] })
  }
  fireUntil(AT)
  const values = featureValues(profile!.features!, features, AT)
  // Plans of these visitors: none pays yet.
  const about = { traits: { plan: 'free' }, profile: profile!, signals }
  const attributes = personAttributes(about, values, AT)
  return { attributes: { ...attributes, segments: segmentsOf(segments, attributes) }, signals: [...new Set(signals)] }
}

it('there are recipes for four trades', () => expect(RECIPES).toHaveLength(4))

describe.each(RECIPES)('the recipe for $trade', ({ recipe, rows }) => {
  it('can be stored as it stands', () => {
    for (const kind of DEFINITION_KINDS) {
      expect(checkDefinitionForm(kind, recipe[kind])).toMatchObject({ ok: true })
      expect(definitionFaults(kind, recipe)).toEqual([])
    }
    const known = namesInUse(recipe, BUILT_IN)
    for (const slot of recipe.slots) {
      expect(checkSlot(slot)).toMatchObject({ ok: true })
      expect(slotConditionFaults(slot, known)).toEqual([])
    }
    for (const content of recipe.content) {
      expect(checkContent(content)).toMatchObject({ ok: true })
      expect(contentConditionFaults(content, known)).toEqual([])
      expect(recipe.slots.map(({ id }) => id)).toEqual(expect.arrayContaining(content.slots))
    }
  })

  it.each(rows)('leads from %j to %j', (...cells) => {
    const [messages, known, shown] = cells as unknown as string[][]
    const { attributes, signals } = knownAfter(recipe, messages!)
    const expected = JSON.parse(known![0]!)
    expect(attributes.features).toMatchObject(expected.features)
    expect({ segments: attributes.segments, signals }).toEqual({
      segments: expected.segments,
      signals: expected.signals,
    })
    const eligible = recipe.content.filter(({ where }) => !where || required(compileWhere(where)).matches(attributes))
    expect(eligible.map(({ id }) => id).sort()).toEqual(JSON.parse(shown![0]!))
  })
})
