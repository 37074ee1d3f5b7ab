import { type ApplyRules, applyEnvelope } from '@slotstream/core'
import type { FeatureStates, Profile } from '@slotstream/protocol'
import { type EventRow, envelopeOf } from '../clickhouse/event-rows.js'

/** Rows that came in one stream message, in their order in it. */
export type MessageRows = [EventRow, ...EventRow[]]

/** A visitor's profile while it is computed again from rows of `events`. */
export interface Recomputation {
  /** Applies the rows of the stream message at `position`, in the order of the stream. */
  add(position: number, rows: MessageRows): void
  /** Returns the profile; undefined where there were no rows that make one. */
  finish(): Profile | undefined
}

/**
 * Begins to compute a visitor's profile again, with the reducer that made it. Pure. A feature that was declared after
 * the profile began counts from where it does there, so it has a reduction of its own.
 *
 * @param stored the profile that is compared with it; undefined: there is none
 * @param positionOf returns the position of a sequence that `stored` holds
 */
export function recompute(
  stored: Profile | undefined,
  rules: ApplyRules,
  positionOf: (seq: number) => number,
): Recomputation {
  const starts = new Map([...sincesOf(stored)].map(since => [since, positionOf(since)]))
  const profiles = new Map<number, Profile>()

  return {
    add(position, rows) {
      const envelope = envelopeOf(rows)
      for (const since of [0, ...starts.keys()]) {
        if (position <= (starts.get(since) ?? 0)) continue
        const profile = applyEnvelope(profiles.get(since), envelope, position, rules)
        if (profile) profiles.set(since, profile)
      }
    },
    finish() {
      const whole = profiles.get(0)
      if (!whole || starts.size === 0) return whole
      const { features, featuresByUser = {} } = whole
      return {
        ...whole,
        ...(features && { features: since(features, stored?.features, state => state?.features) }),
        featuresByUser: Object.fromEntries(
          Object.entries(featuresByUser).map(([userId, states]) => [
            userId,
            since(states, stored?.featuresByUser?.[userId], state => state?.featuresByUser?.[userId]),
          ]),
        ),
      }
    },
  }

  /** Returns states with those of the features that count from somewhere on. */
  function since(
    states: FeatureStates,
    storedStates: FeatureStates | undefined,
    partOf: (profile: Profile | undefined) => FeatureStates | undefined,
  ): FeatureStates {
    const byVersion = { ...states.of }
    for (const [version, [start]] of Object.entries(storedStates?.of ?? {})) {
      if (start === 0) continue
      const later = partOf(profiles.get(start))?.of[version]
      if (later) byVersion[version] = later
      else delete byVersion[version]
    }
    return { ...states, of: byVersion }
  }
}

function sincesOf(stored: Profile | undefined): Set<number> {
  const all = [stored?.features, ...Object.values(stored?.featuresByUser ?? {})]
  const starts = all.flatMap(states => Object.values(states?.of ?? {}).map(([start]) => start))
  return new Set(starts.filter(start => start > 0))
}
