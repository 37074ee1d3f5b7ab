import type { StoredMessage } from '@slotstream/protocol'
import { eventNameOf } from '../conditions/event-name.js'
import type { Features, Rule } from './feature.js'

/** The rules of one event, in the order of `Features`, as they are counted. */
export interface RulesOfEvent {
  /** Of features of the session, which are counted in sessions. */
  ofSession: readonly Rule[]
  /** Of all others, each with a number that is its feature's own. */
  others: readonly (Rule & { place: number })[]
}

/** Sorted rules, by the list as `Features` has it. */
const sorted = new WeakMap<readonly Rule[], RulesOfEvent>()

/** Returns the rules that count a message. They are sorted once: every message of the event needs them. */
export function rulesOf(message: StoredMessage, features: Features): RulesOfEvent {
  const all = features.rulesByEvent.get(eventNameOf(message)) ?? features.rulesOfAny
  const before = sorted.get(all)
  if (before) return before
  const rules = sort(all, features)
  sorted.set(all, rules)
  return rules
}

function sort(all: readonly Rule[], features: Features): RulesOfEvent {
  const versions = [...features.byVersion.keys()]
  const isOfSession = ({ feature }: Rule) => feature.window.kind === 'session'
  return {
    ofSession: all.filter(isOfSession),
    others: all
      .filter(rule => !isOfSession(rule))
      .map(({ feature, weight }) => ({ feature, weight, place: versions.indexOf(feature.version) })),
  }
}
