import {
  featureValues,
  isWholePerson,
  nextMembers,
  nextSegmentChange,
  personAttributes,
  statesOfUser,
  withoutMembers,
} from '@slotstream/core'
import { isPersonKey, type Profile } from '@slotstream/protocol'
import type { Log } from '@slotstream/runtime'
import type { CompiledDefinitions } from '../definitions/compiled-definitions.js'
import type { ReadPerson } from '../reads/read-persons.js'
import type { TellSegments } from './publish-news.js'

/** Time until a person is looked at again whose browsers could not be read, in milliseconds. */
const RETRY_MS = 2_000

/** Looks at the segments of persons at times when no message of theirs is applied. */
export interface MemberChecks {
  /**
   * Returns when the person of a profile that was just applied has to be looked at; undefined: not before a message.
   */
  dueOf(profile: Profile, now: number): number | undefined
  /**
   * Looks at a person, and tells the stream what changed. Resolves to when to look again; undefined: not before a
   * message.
   */
  check(profile: Profile, now: number): Promise<number | undefined>
}

export interface MemberChecksDeps {
  definitionsOf: (siteId: string) => CompiledDefinitions
  /** Reads a person as the owners of the browsers have them now. */
  readPerson: ReadPerson
  tell: TellSegments
  log: Log
}

/** Creates the looks at persons. Sites without segments have none. */
export function createMemberChecks({ definitionsOf, readPerson, tell, log }: MemberChecksDeps): MemberChecks {
  async function checkNow(profile: Profile, now: number): Promise<number | undefined> {
    const { features, segments, includesBots } = definitionsOf(profile.siteId)
    const person = await readPerson(profile, features)
    const values = featureValues(person.features, features, now, segments.features)
    const before = profile.members ?? []
    const isLeftOut = person.suspicion.isBot && !includesBots
    const { members, changes } = isLeftOut
      ? withoutMembers(before, now)
      : nextMembers(segments, before, personAttributes(person, values, now), now)
    const named = (kind: string) => changes.filter(change => change.kind === kind).map(({ segment }) => segment)
    if (changes.length > 0) await tell(profile, { at: now, entered: named('entered'), left: named('left') })
    return nextSegmentChange(segments, members, features, person.features, now)
  }

  return {
    dueOf(profile, now) {
      const { features, segments } = definitionsOf(profile.siteId)
      if (segments.segments.length === 0) return undefined
      const { visitorId, userId, members = [] } = profile
      // Any of the browsers may have something new.
      if (!isWholePerson(profile)) return isPersonKey(visitorId) ? now : undefined
      const states = statesOfUser(profile, isPersonKey(visitorId) ? userId : '', features)
      return nextSegmentChange(segments, members, features, states, now)
    },
    async check(profile, now) {
      const { siteId, visitorId } = profile
      if (definitionsOf(siteId).segments.segments.length === 0) return undefined
      if (!isPersonKey(visitorId) && !isWholePerson(profile)) return undefined
      try {
        return await checkNow(profile, now)
      } catch (error) {
        log.warn({ err: error, siteId }, 'the segments of a person could not be decided, trying again')
        return now + RETRY_MS
      }
    },
  }
}
