import type { FeatureState, FeatureStates, StoredMessage } from '@slotstream/protocol'
import { eventNameOf } from '../../conditions/event-name.js'
import type { Sample } from '../aggregates/aggregate.js'
import type { Features, Rule } from '../feature.js'
import { addMessage } from './add-message.js'
import { heldOf } from './nothing.js'
import { addVisit } from './visits.js'

/**
 * Returns what a visitor's features hold before the first message.
 *
 * @param revision of the site's features; -1 for a profile that is older than features
 */
export function emptyStates(revision: number): FeatureStates {
  return { born: revision, at: 0, of: {}, visits: [], past: [0, 0] }
}

/** A visitor's features while the messages of an envelope are added to them. */
export interface FeatureDraft {
  /**
   * Adds a message of time `at`, in milliseconds since the epoch, that was not counted before.
   *
   * @returns the keys and values that its lists added, beside one of each feature; more than there were, never fewer
   */
  add(message: StoredMessage, at: number): number
  /** Returns what the features hold so far. It changes with the next message that is added. */
  soFar(): FeatureStates
}

/**
 * Begins to add messages to what a visitor's features hold. `before` is not changed.
 *
 * @param sinceOf returns the stream sequence after which a version counts. Default: all messages
 */
export function draftFeatures(
  before: FeatureStates,
  features: Features,
  sinceOf: (version: string) => number = () => 0,
): FeatureDraft {
  const byVersion: Record<string, FeatureState> = { ...before.of }
  const { born, narrowed } = before
  let { at: latest, visits, past } = before

  function apply(rules: readonly Rule[], message: StoredMessage, sample: Sample): void {
    for (const { feature, weight } of rules) {
      if (feature.window.kind === 'session' || (feature.matches && !feature.matches(message))) continue
      const { version } = feature
      const state = byVersion[version]
      const cellOrSlots = addMessage(heldOf(state), feature, weight, message, sample)
      if (cellOrSlots !== undefined) byVersion[version] = [state ? state[0] : sinceOf(version), cellOrSlots]
    }
  }

  return {
    add(message, at) {
      const sample: Sample = {
        value: 1,
        weight: 1,
        at,
        messageId: message.messageId,
        properties: message.properties,
        listed: 0,
      }
      const rules = features.rulesByEvent.get(eventNameOf(message)) ?? features.rulesOfAny
      apply(rules, message, sample)
      ;({ visits, past } = addVisit(visits, past, message, sample, features, rules))
      latest = Math.max(latest, at)
      return sample.listed
    },
    soFar: () => ({ born, at: latest, of: byVersion, visits, past, ...(narrowed && { narrowed }) }),
  }
}
