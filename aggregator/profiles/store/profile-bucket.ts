import {
  bucketStream,
  keyOfSubject,
  keySubject,
  keyToken,
  type Profile,
  parseProfile,
  partitionOf,
  profileKey,
  profilesBucket,
} from '@slotstream/protocol'
import { type Installation, type Log, PublishError, type Publisher, parseEntry, skipEntry } from '@slotstream/runtime'
import { StoreConflict } from './store-conflict.js'

/** A visitor of a site, whose profile it is. */
export interface Visitor {
  siteId: string
  visitorId: string
}

/** The keys of a generation's profiles in NATS KV, and how values are written and parsed. */
export interface ProfileBucket {
  readonly name: string
  /** Stream of the bucket. */
  readonly stream: string
  subjectOf(key: string): string
  /** Returns the key of one of the stream's subjects. */
  keyOfSubject(subject: string): string
  keyOf(visitor: Visitor): string
  /** Returns the key under which versions before keyed hashes stored a profile. */
  olderKeyOf(visitor: Visitor): string
  /**
   * Writes a value, as `put` of the KV client does at six times the cost: a bucket is a stream with a subject per key.
   *
   * @param bucketName this bucket or another one
   * @param revision that the key must have; undefined: any
   * @returns the new revision
   * @throws StoreConflict
   */
  put(bucketName: string, key: string, value: object, revision: number | undefined): Promise<number>
  /** Parses a stored profile. What is none, or another visitor's, is logged, and undefined. */
  parse(entry: { json<T>(): T }, key: string, revision: number): Profile | undefined
}

/** Creates the view of a generation's bucket: `profiles`, of later generations `profiles_1` and so on. */
export function createProfileBucket(
  publisher: Pick<Publisher, 'publish'>,
  { partitions, generation, privacy }: Pick<Installation, 'partitions' | 'generation' | 'privacy'>,
  log: Log,
): ProfileBucket {
  const name = profilesBucket(generation)
  const keyOf = (visitor: Visitor) => profileKey(privacy.keyed, visitor, partitions)
  return {
    name,
    stream: bucketStream(name),
    subjectOf: key => keySubject(name, key),
    keyOfSubject: subject => keyOfSubject(name, subject),
    keyOf,
    olderKeyOf: ({ siteId, visitorId }) =>
      `${partitionOf(siteId, visitorId, partitions)}.${siteId}.${keyToken(visitorId)}`,
    async put(bucketName, key, value, revision) {
      try {
        const subject = keySubject(bucketName, key)
        return (await publisher.publish(subject, JSON.stringify(value), undefined, revision)).seq
      } catch (error) {
        if (error instanceof PublishError && error.code === 'conflict')
          throw new StoreConflict(`${key} is not at revision ${revision}`, { cause: error })
        throw error
      }
    },
    parse(entry, key, revision) {
      const parsed = parseEntry(entry, parseProfile)
      if (parsed.ok && keyOf(parsed.value) === key) return parsed.value
      // Keys identify visitors, so the log gets the revision only.
      skipEntry(log, name, { revision }, parsed.ok ? 'it is the profile of another visitor' : parsed.reason)
      return undefined
    },
  }
}
