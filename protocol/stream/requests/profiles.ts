import type { Profile } from '../profile/profile.js'

/** Visitors that one request may ask for. */
export const MAX_PROFILES_READ = 100

/** NATS request to `profile.<partition>`, from a collector to the owner of the partition. */
export interface ProfilesRequest {
  siteId: string
  /** Keys of visitors, see `visitorIdOf`, all of the partition: 1 to `MAX_PROFILES_READ`. */
  visitorIds: string[]
  /**
   * `stored`: profiles as they are stored. `described`: with features, segments and signals of the person, for the
   * admin API. `linked`: `LinkedVisitor`. Default `stored`.
   */
  as?: ProfilesView
}

/** Form in which profiles are read. */
export type ProfilesView = 'stored' | 'described' | 'linked'

/** Whom a visitor is linked with: a browser with users, or a user with browsers. */
export type LinkedVisitor = Pick<Profile, 'visitorId' | 'anonymousId' | 'userId' | 'links'>

/** Reply to a `ProfilesRequest`. */
export interface ProfilesReply {
  /**
   * The profiles, with all that is applied by now, in the order of the request; null: the visitor has no profile. At
   * least one, and fewer than were asked for where more do not fit into a message: ask again for the others.
   */
  profiles: (Profile | LinkedVisitor | object | null)[]
}
