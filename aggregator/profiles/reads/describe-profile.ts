import { featureValues, segmentsOf } from '@slotstream/core'
import type { Profile } from '@slotstream/protocol'
import type { CompiledDefinitions } from '../definitions/compiled-definitions.js'
import { personAttributes } from './person-attributes.js'
import type { Person } from './read-persons.js'

/**
 * Describes a visitor for the admin API: the profile of the browser, and features, segments and signals of the person.
 *
 * @param at milliseconds since the epoch
 * @param includesBots whether the site wants visitors in segments who seem to be programs
 */
export function describeProfile(
  profile: Profile,
  person: Person,
  { features, segments }: CompiledDefinitions,
  at: number,
  includesBots: boolean,
): object {
  const { features: _states, featuresByUser: _byUser, patterns: _patterns, ...others } = profile
  const { links: _links, recentSignals: _recent, ...ownFields } = others
  const values = featureValues(person.features, features, at)
  const ageMs = Math.max(0, at - person.readAt)
  return {
    ...ownFields,
    person: { id: person.id, userId: person.userId, browsers: person.browsers },
    features: Object.fromEntries(
      [...values].map(([name, { value, version, since }]) => [
        name,
        { value, version, ageMs, ...(since > 0 && { since }) },
      ]),
    ),
    segments: includesBots || !person.suspicion.isBot ? segmentsOf(segments, personAttributes(person, values, at)) : [],
    signals: person.signals,
    suspicion: person.suspicion,
  }
}
