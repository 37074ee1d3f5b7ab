import { type ApplyRules, applyAndDetect, type CompiledPatterns } from '@slotstream/core'
import {
  type EventEnvelope,
  type IdentityChange,
  idsOfVisitor,
  type Profile,
  parseEventEnvelope,
  parseProfile,
  type Sender,
  type SignalRecord,
  type StoredMessage,
  visitorIdOf,
} from '@slotstream/protocol'
import { expect } from 'vitest'

/**
 * The partitions of a site, one for each visitor: each applies its own messages in order, and what one tells another
 * waits there until it is its turn.
 */
export function createPeople(patterns?: CompiledPatterns, rules: ApplyRules = {}) {
  const allRules = patterns ? { ...rules, patterns } : rules
  const profiles = new Map<string, Profile>()
  const queues = new Map<string, EventEnvelope[]>()
  const found: SignalRecord[] = []
  let seq = 0
  /** Messages that partitions told one another so far. */
  let told = 0

  function put(envelope: EventEnvelope): void {
    const read = parseEventEnvelope(JSON.parse(JSON.stringify(envelope)))
    if (!read.ok) throw new Error(read.reason)
    queues.set(envelope.visitorId, [...(queues.get(envelope.visitorId) ?? []), read.value])
  }

  /** Applies the next message of a visitor's partition, if there is one. What it tells is told so many times. */
  function step(visitorId: string, times = 1): boolean {
    const [next, ...rest] = queues.get(visitorId) ?? []
    if (!next) return false
    queues.set(visitorId, rest)
    const { siteId, receivedAt } = next
    const applied = applyAndDetect(profiles.get(visitorId), next, ++seq, text => text, allRules)
    found.push(...applied.signals)
    if (applied.profile) {
      const profile = JSON.parse(JSON.stringify(applied.profile))
      expect(parseProfile(profile)).toMatchObject({ ok: true })
      profiles.set(visitorId, profile)
    }
    for (let time = 0; time < times; time++) {
      for (const change of applied.identity ?? []) tellLink(change, visitorId, receivedAt)
      for (const { visitors, userId, messages, sender } of applied.tellings ?? [])
        for (const other of visitors) {
          told += messages.length
          put({
            ...{ siteId, visitorId: other, receivedAt, hearsay: { userId, messages }, messages: [] },
            ...(sender && { sender }),
          })
        }
    }
    return true
  }

  function tellLink(change: IdentityChange, except: string, receivedAt: string): void {
    for (const side of [visitorIdOf({ userId: change.userId }), visitorIdOf({ anonymousId: change.anonymousId })])
      if (side !== except) put({ siteId: 'shop', visitorId: side, receivedAt, identity: [change], messages: [] })
  }

  return {
    profiles,
    found,
    visitors: () => [...queues.keys()],
    told: () => told,
    put,
    send(messages: StoredMessage | StoredMessage[], sender?: Sender): void {
      const all = [messages].flat()
      const [{ timestamp: receivedAt }] = all as [StoredMessage]
      put({
        ...{ siteId: 'shop', visitorId: visitorIdOf(all[0]!), receivedAt, messages: all },
        ...(sender && { sender }),
      })
    },
    step,
    /** Applies everything that waits, until nothing does. */
    settle(): void {
      while ([...queues.keys()].some(visitorId => step(visitorId)));
    },
    /** Lets a time come for all visitors. */
    fire(at: number): void {
      for (const visitorId of queues.keys())
        put({
          ...{ siteId: 'shop', visitorId, receivedAt: new Date(at).toISOString() },
          ...{ timer: { at, ...idsOfVisitor(visitorId) }, messages: [] },
        })
    },
    /** Decides about a browser and a user, as an administrator does. */
    decide(anonymousId: string, userId: string, state: 'joined' | 'undone', at: number): void {
      tellLink({ anonymousId, userId, decision: { state, at, cause: 'a test' } }, '', new Date(at).toISOString())
    },
  }
}
