import type { JsonObject, Profile, StoredMessage } from '@slotstream/protocol'

/** The fields of a profile that detectors compare: the profile itself changes with the message. */
export type ProfileBefore = Pick<Profile, 'affinities' | 'session' | 'signalMemory'>

/** Input of a detector. */
export interface Observation {
  /** The visitor's profile before the message; undefined: it is the first one. */
  before: ProfileBefore | undefined
  message: StoredMessage
  /** Time of the message, in milliseconds since the epoch. */
  at: number
  after: Profile
  /** Categories that the message shows interest in, with weights. */
  interests: readonly [category: string, weight: number][]
  /**
   * Relation of the message to the visitor's running session: it `began` it, it `continues` it, or it belongs to an
   * earlier one and came late.
   */
  session: 'began' | 'continues' | 'late'
}

/** Result of a detector for one message. */
export interface Detection<Memory> {
  /** State that it is given with the next message. It is stored with each profile: small, bounded, and JSON. */
  memory: Memory | undefined
  /** The finding; absent when there is none. */
  details?: JsonObject
}

/**
 * Detects one signal. Pure: the same messages in the same order give the same signals, at any time and in any process.
 *
 * @param memory what it returned with the message before; undefined at first, and in profiles older than the detector
 */
export type Detector<Memory> = (seen: Observation, memory: Memory | undefined) => Detection<Memory>
