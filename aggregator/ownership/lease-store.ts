import type { KV, KvEntry } from '@nats-io/kv'
import { type Log, type Nats, usableValue, watchBucket, within } from '@slotstream/runtime'
import { FREE, type Lease, type MemberNote, parseLease, parseMemberNote } from './parse-lease.js'

export type { Lease, MemberNote } from './parse-lease.js'

/** A member or a lease changed; `revision` rises with every change in the bucket. */
export type Change =
  | { kind: 'member'; id: string; note: MemberNote | undefined; revision: number }
  | { kind: 'lease'; resource: string; lease: Lease; revision: number }

/** The store of members and leases. Every method may fail, and may have had its effect all the same. */
export interface LeaseStore {
  /** Says that the member lives. `revision` 0 for the first time. Rejects when the entry isn't at `revision`. */
  beat(id: string, note: MemberNote, revision: number): Promise<number>
  /** Reads the revision of the member's entry from the leader of the bucket; 0 when there is none. */
  memberRevision(id: string): Promise<number>
  removeMember(id: string): Promise<void>
  /** Writes a lease by compare-and-set. Rejects when it isn't at `revision`. */
  write(resource: string, lease: Lease, revision: number): Promise<number>
  /** Reads the lease from the leader of the bucket. */
  read(resource: string): Promise<{ lease: Lease; revision: number } | undefined>
  /**
   * Hands out what is there, then every change. Resolves when the present state was handed out. `renew` is for a watch
   * that says nothing any more: a replica that has stopped following its leader looks just like one with no news.
   */
  watch(apply: (change: Change) => void): Promise<{ renew(): void; stop(): void }>
}

/** Time that one call may take, in milliseconds: a renewal that takes longer is of no use any more. */
const CALL_MS = 1_000

/** A call that was never answered would keep its caller from everything else; in a cluster that happened. */
const LATE_MS = 5 * CALL_MS

async function inTime<T>(call: Promise<T>): Promise<T> {
  const answer = await within(LATE_MS, call)
  if (!answer) throw new Error(`no answer within ${LATE_MS} ms`)
  return answer.value
}

/**
 * Creates the store in the NATS KV bucket `leases`: `<group>.member.<id>` and `<group>.lease.<resource>`. Ids and names
 * of resources are tokens of a key, see `keyToken`. A lease that can't be read is a free one at its revision, so that
 * the next claim puts a good one in its place.
 */
export function createLeaseStore(nats: Nats, bucket: KV, group: string, log: Log): LeaseStore {
  const members = `${group}.member.`
  const leases = `${group}.lease.`

  function put(key: string, value: object, revision: number): Promise<number> {
    // While there is no connection the client holds requests back: what it sends later may be long out of date.
    if (!nats.connected) return Promise.reject(new Error('there is no connection to NATS'))
    // A revision of 0 means that the key was never written, or that a deletion is the latest entry: `create` knows.
    const text = JSON.stringify(value)
    return inTime(revision === 0 ? bucket.create(key, text) : bucket.update(key, text, revision, CALL_MS))
  }

  const usable = (entry: KvEntry) => usableValue('leases', entry, parseLease, log) ?? FREE

  async function get(key: string) {
    if (!nats.connected) throw new Error('there is no connection to NATS')
    const entry = await inTime(bucket.get(key))
    return entry?.operation === 'PUT' ? entry : undefined
  }

  return {
    beat: (id, note, revision) => put(members + id, note, revision),
    memberRevision: async id => (await get(members + id))?.revision ?? 0,
    removeMember: id => inTime(bucket.delete(members + id)),
    write: (resource, lease, revision) => put(leases + resource, lease, revision),
    async read(resource) {
      const entry = await get(leases + resource)
      return entry && { lease: usable(entry), revision: entry.revision }
    },
    watch: apply =>
      watchBucket(
        nats,
        bucket,
        entry => {
          const { key, revision } = entry
          const there = entry.operation === 'PUT'
          if (key.startsWith(members)) {
            const note = there ? usableValue('leases', entry, parseMemberNote, log) : undefined
            apply({ kind: 'member', id: key.slice(members.length), note, revision })
          } else if (key.startsWith(leases) && there)
            apply({ kind: 'lease', resource: key.slice(leases.length), lease: usable(entry), revision })
        },
        log,
      ),
  }
}
