import {
  changesOf,
  createIsApproximate,
  type Feature,
  featureValues,
  personAttributes,
  shareLeft,
} from '@slotstream/core'
import type { FeatureStates, Profile } from '@slotstream/protocol'
import type { CompiledDefinitions } from '../definitions/compiled-definitions.js'
import type { Person } from './read-persons.js'

/**
 * Returns the fields of a browser's profile that the admin API shows. By name, so that what a profile remembers for
 * itself stays inside, also what is added later.
 */
function ownFieldsOf({
  siteId,
  visitorId,
  anonymousId,
  userId,
  firstSeen,
  lastSeen,
  lastReceived,
  sessions,
  session,
  events,
  affinities,
  affinitiesAt,
  traits,
  seq,
}: Profile) {
  const ids = { siteId, visitorId, anonymousId, userId }
  const times = { firstSeen, lastSeen, ...(lastReceived !== undefined && { lastReceived }) }
  return { ...ids, ...times, sessions, session, events, affinities, affinitiesAt, traits, seq }
}

/**
 * Describes a visitor for the admin API: the profile of the browser, and features, segments and signals of the person.
 *
 * @param at milliseconds since the epoch
 * @param lackedMs for how long the visitor's partition may have lacked messages, in milliseconds. Default 0
 */
export function describeProfile(
  profile: Profile,
  person: Person,
  { features, segments, includesBots = false }: CompiledDefinitions,
  at: number,
  lackedMs = 0,
): object {
  const values = featureValues(person.features, features, at)
  const isApproximate = createIsApproximate(person.features, features, at)
  const ageMs = Math.max(0, at - person.readAt, lackedMs)
  const isLeftOut = person.suspicion.isBot && !includesBots
  return {
    ...ownFieldsOf(profile),
    person: { id: person.id, userId: person.userId, browsers: person.browsers },
    features: Object.fromEntries(
      [...values].map(([name, { value, version, since, filling }]) => [
        name,
        {
          ...{ value, version, ageMs },
          ...(since > 0 && { since }),
          ...(filling && { filling }),
          ...boundsOf(person.features, features.byName.get(name), isApproximate),
        },
      ]),
    ),
    segments: isLeftOut ? [] : changesOf(segments, person.members, personAttributes(person, values, at)).segments,
    signals: person.signals,
    suspicion: person.suspicion,
  }
}

/** Returns what bounds did to a feature: nothing where its value is made of all that came. */
function boundsOf(
  states: FeatureStates,
  feature: Feature | undefined,
  isApproximate: (feature: Feature) => boolean,
): { approximate?: true; narrowed?: number } {
  if (!feature || !isApproximate(feature)) return {}
  const narrowed = shareLeft(states, feature)
  return { approximate: true, ...(narrowed !== undefined && { narrowed }) }
}
