import { headers } from '@nats-io/transport-node'
import { type Profile, parseProfile } from '@slotstream/protocol'
import { isMark, type Log, type Nats, parseEntry, readWhole } from '@slotstream/runtime'
import type { Visitor } from './profile-bucket.js'
import { StoreConflict } from './store-conflict.js'

/** Operations on the keys of stored profiles, whatever their values are. */
export interface ProfileKeys {
  /**
   * Marks a profile as deleted, so that the warehouse reads the deletion from the stream.
   *
   * @param revision that the key must have; default: any
   */
  markRemoved(visitor: Visitor, revision?: number): Promise<void>
  /**
   * Deletes the profiles of a visitor that began at `before` or earlier, in milliseconds since the epoch, and
   * overwrites their bytes where they are. Resolves to how many there were.
   */
  eraseProfile(visitor: Visitor, before: number): Promise<number>
  /**
   * Takes over profiles of a partition that are elsewhere: under visitors' ids, as versions before keyed hashes stored
   * them, or in another store.
   */
  takeOver(partition: number): Promise<void>
}

export interface ProfileKeysDeps {
  nats: Nats
  log: Log
  /** Stream of the bucket. */
  stream: string
  subjectOf(key: string): string
  keyOf(visitor: Visitor): string
  /** Returns the key under which versions before keyed hashes stored a profile. */
  olderKeyOf(visitor: Visitor): string
  /**
   * Writes a profile under a key that has none.
   *
   * @throws StoreConflict
   */
  put(key: string, profile: Profile): Promise<unknown>
}

/** Creates the operations on the keys of a bucket of profiles. */
export function createProfileKeys(deps: ProfileKeysDeps): ProfileKeys {
  const { nats, log, stream, subjectOf, keyOf, olderKeyOf, put } = deps
  return {
    async markRemoved(visitor, revision) {
      const marker = headers()
      marker.set('KV-Operation', 'DEL')
      const { siteId, visitorId } = visitor
      // The key is a hash, and the row in ClickHouse has the visitor's id.
      const body = JSON.stringify({ siteId, visitorId })
      const expect = revision === undefined ? {} : { expect: { lastSubjectSequence: revision } }
      await nats.js.publish(subjectOf(keyOf(visitor)), body, { headers: marker, ...expect })
    },
    async eraseProfile(visitor, before) {
      const erased = await eraseSubject(subjectOf(keyOf(visitor)), before)
      return erased + (await eraseSubject(subjectOf(olderKeyOf(visitor)), before))
    },
    async takeOver(partition) {
      for await (const message of readWhole(nats, stream, log, { subject: subjectOf(`${partition}.>`) })) {
        const parsed = isMark(message.headers) ? undefined : parseEntry(message, parseProfile)
        // What is no visitor's profile under that key stays, and is treated as none.
        if (parsed?.ok && message.subject === subjectOf(olderKeyOf(parsed.value))) {
          await put(keyOf(parsed.value), parsed.value).catch(ignoreConflict)
          await nats.manager.streams.deleteMessage(stream, message.seq, true)
        }
      }
    },
  }

  async function eraseSubject(subject: string, before: number): Promise<number> {
    let erased = 0
    for (;;) {
      // Not a purge: that leaves a marker, and the bytes.
      const message = await nats.manager.streams.getMessage(stream, { last_by_subj: subject })
      if (!message) return erased
      const isMarker = isMark(message.header)
      const parsed = isMarker ? undefined : parseEntry(message, parseProfile)
      if (parsed?.ok && Date.parse(parsed.value.firstSeen) > before) return erased
      if ((await nats.manager.streams.deleteMessage(stream, message.seq, true)) && !isMarker) erased++
    }
  }
}

/** Ignores a conflict: a profile that has its new key already takes precedence. */
function ignoreConflict(error: unknown): void {
  if (!(error instanceof StoreConflict)) throw error
}
