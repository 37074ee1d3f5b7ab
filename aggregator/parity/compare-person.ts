import { featureValues } from '@slotstream/core'
import { type FeatureStates, type Json, type Profile, visitorIdOf } from '@slotstream/protocol'
import type { CompiledDefinitions } from '../profiles/definitions/compiled-definitions.js'
import { createReadPerson, type Person } from '../profiles/reads/read-persons.js'
import { compareValues } from './compare-values.js'
import type { ProfileGroup } from './read-group.js'
import { type Compared, isFault, type Skip } from './report.js'

/** The name under which it is compared who a person is: the user and the browsers. No feature may have it. */
export const WHO = '(person)'

/** Result of checking one visitor. */
export type Checked = { skip: Skip; why?: string } | { features: ReadonlyMap<string, Compared> }

export interface ComparisonRules {
  features: CompiledDefinitions['features']
  /** Time from which the site keeps messages, in milliseconds since the epoch; 0: for ever. */
  keptFrom: number
  /** Time at which values are taken, in milliseconds since the epoch. */
  at: number
}

/** Compares the person whom a visitor belongs to, as the owners have them, with what the rows give. */
export async function comparePerson(
  visitorId: string,
  group: ProfileGroup,
  { features, keptFrom, at }: ComparisonRules,
): Promise<Checked> {
  const { stored, recomputed, unanswered, unloaded } = group
  const [storedPerson, recomputedPerson] = [personIn(stored), personIn(recomputed)]
  const [ofStored, ofRecomputed] = [await storedPerson(visitorId), await recomputedPerson(visitorId)]
  const members = new Set([visitorId, ...membersOf(ofStored), ...membersOf(ofRecomputed)])
  const profiles = [...members].flatMap(id => [stored.get(id), recomputed.get(id)].filter(each => each !== undefined))
  const [silent] = [...members].filter(id => unanswered.has(id))
  if (silent !== undefined) return { skip: 'unanswered', why: unanswered.get(silent)! }
  if ([...members].some(id => unloaded.has(id))) return { skip: 'unloaded' }
  if (!profiles.some(({ events }) => events > 0)) return { skip: 'empty' }
  // Times of receipt are later than those of messages: what is kept by the latter is kept.
  if (profiles.some(({ events, firstSeen }) => events > 0 && Date.parse(firstSeen) < keptFrom))
    return { skip: 'retention' }

  const [values, expectedValues] = [ofStored, ofRecomputed].map(
    person => person && featureValues(person.features, features, at),
  )
  const states = [...members].flatMap(id => statesIn(stored.get(id)))
  const compared = new Map<string, Compared>([[WHO, comparedOf(whoIs(ofRecomputed), whoIs(ofStored))]])
  for (const [name, feature] of features.byName) {
    const result = comparedOf(expectedValues?.get(name)?.value, values?.get(name)?.value)
    const isUncertain =
      isFault(result) &&
      states.some(
        ({ born, of: byVersion, narrowed }) =>
          // How far it is narrowed follows from all features together, and those that came later are computed apart.
          (narrowed && countsLate(states)) ||
          (feature.addedIn > born && (feature.window.kind === 'session' || byVersion[feature.version] === undefined)),
      )
    compared.set(name, isUncertain ? { ...result, outcome: 'uncertain' } : result)
  }
  return { features: compared }

  function personIn(profilesById: ReadonlyMap<string, Profile>) {
    const read = createReadPerson(
      async (_site, ids) => ids.map(id => ({ profile: profilesById.get(id), readAt: at })),
      () => at,
    )
    return async (id: string): Promise<Person | undefined> => {
      const profile = profilesById.get(id)
      return profile && read(profile, features)
    }
  }
}

/** Returns whether a feature was declared after the profile began. */
function countsLate(states: readonly FeatureStates[]): boolean {
  return states.some(({ of: byVersion }) => Object.values(byVersion).some(([since]) => since > 0))
}

function comparedOf(expected: Json | undefined, actual: Json | undefined): Compared {
  return { ...compareValues(expected, actual), expected, found: actual }
}

function whoIs(person: Person | undefined): { user: string; browsers: Record<string, boolean> } | undefined {
  return person && { user: person.userId, browsers: Object.fromEntries(person.browsers.map(id => [id, true])) }
}

function membersOf(person: Person | undefined): string[] {
  if (!person) return []
  const { userId, browsers } = person
  return [...(userId === '' ? [] : [visitorIdOf({ userId })]), ...browsers.map(id => visitorIdOf({ anonymousId: id }))]
}

function statesIn(profile: Profile | undefined): FeatureStates[] {
  if (!profile) return []
  const { features = OLDER, featuresByUser = {}, events } = profile
  return events > 0 ? [features, ...Object.values(featuresByUser)] : []
}

/** State of features of a profile that was stored before there were any. */
const OLDER: FeatureStates = { born: -1, at: 0, of: {}, visits: [], past: [0, 0] }
