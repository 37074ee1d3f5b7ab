import { MAX_NAME_LENGTH, type StoredMessage } from '@slotstream/protocol'
import { eventNameOf } from '../conditions/event-name.js'
import { DEFAULT_FEATURES } from '../features/default-features.js'
import type { Feature, Features } from '../features/feature.js'

/** The feature by whose events, weights and keys interests are counted. */
const INTEREST_FEATURE = 'category_affinity'

/**
 * Returns the categories that a message shows interest in, with weights: those of the site's feature
 * `category_affinity`, as far as it has keys; where it is switched off, of the built-in one. Each category counts once
 * per message.
 */
export function interestsOf(message: StoredMessage, features: Features = DEFAULT_FEATURES): [string, number][] {
  const declared = features.byName.get(INTEREST_FEATURE)
  const { byName, rulesByEvent, rulesOfAny } = declared?.readKeys ? features : DEFAULT_FEATURES
  const rules = rulesByEvent.get(eventNameOf(message)) ?? rulesOfAny
  const feature = byName.get(INTEREST_FEATURE) as Feature
  const weight = rules.find(rule => rule.feature === feature)?.weight
  if (weight === undefined || !(feature.matches?.(message) ?? true)) return []
  const keys = feature.readKeys?.(isAboutContent(message) ? message : withoutContent(message))
  if (!Array.isArray(keys)) return isCategory(keys) ? [[keys, weight]] : []
  return [...new Set(keys.flat())].filter(isCategory).map(key => [key, weight])
}

/** Returns whether the category of a slot's content, which the collector adds, may be what the message is about. */
function isAboutContent({ event, context }: StoredMessage): boolean {
  return event === 'Slot Clicked' || context?.content === undefined
}

function withoutContent(message: StoredMessage): StoredMessage {
  const { content: _content, ...context } = message.context ?? {}
  return { ...message, context }
}

function isCategory(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH
}
