import type { FeatureCell, FeatureSlots, FeatureState, FeatureStates, StoredMessage } from '@slotstream/protocol'
import type { Sample } from '../aggregates/aggregate.js'
import type { Features } from '../feature.js'
import { type RulesOfEvent, rulesOf } from '../rules-of-event.js'
import { addMessage, isNothing, valueIn } from './add-message.js'
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
   * @returns the features that it changed, and the keys and values that its lists added; more than there were, never
   * fewer
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
  // What changed is kept by number until it is asked for: to look it up by version takes longer than to count it.
  const changed: (FeatureCell | FeatureSlots | undefined)[] = []
  let changes: { version: string; place: number }[] = []

  function apply({ others }: RulesOfEvent, message: StoredMessage, sample: Sample): void {
    for (const { feature, weight, place } of others) {
      const { matches, version } = feature
      if (matches && !matches(message)) continue
      const value = valueIn(message, feature)
      if (isNothing(value, feature)) continue
      const changedBefore = changed[place]
      const next = addMessage(changedBefore ?? heldOf(byVersion[version]), feature, weight, value, message, sample)
      if (next === undefined) continue
      sample.additions++
      if (changedBefore === undefined) changes.push({ version, place })
      changed[place] = next
    }
  }

  function putChanges(): void {
    for (const { version, place } of changes) {
      const state = byVersion[version]
      byVersion[version] = [state ? state[0] : sinceOf(version), changed[place]!]
      changed[place] = undefined
    }
    changes = []
  }

  return {
    add(message, at) {
      const sample: Sample = {
        value: 1,
        weight: 1,
        at,
        messageId: message.messageId,
        properties: message.properties,
        additions: 0,
      }
      const rules = rulesOf(message, features)
      apply(rules, message, sample)
      ;({ visits, past } = addVisit(visits, past, message, sample, features, rules.ofSession))
      latest = Math.max(latest, at)
      return sample.additions
    },
    soFar() {
      putChanges()
      return { born, at: latest, of: byVersion, visits, past, ...(narrowed && { narrowed }) }
    },
  }
}
