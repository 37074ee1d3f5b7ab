import type { RejectedEnvelope, SignalEnvelope } from '@slotstream/protocol'
import type { ForwardEnvelope, IdentityEnvelope, NewsEnvelope, TellingEnvelope, UntoldLearning } from './apply-step.js'

/**
 * Signals, rejected traits, changes of identity, news, learning records or messages to pass on of one visitor that are
 * not in their stream yet.
 */
export interface UnpublishedEntry {
  siteId: string
  visitorId: string
  signals?: SignalEnvelope
  rejected?: RejectedEnvelope
  identity?: IdentityEnvelope
  /** News that is published after every `identity` of the list. */
  news?: NewsEnvelope[]
  /** Messages that are told after every `identity` of the list: a user believes browsers that it knows. */
  tellings?: TellingEnvelope[]
  learning?: UntoldLearning
  forward?: ForwardEnvelope
  /** Characters of rejected payloads and reasons: many may wait to be published. */
  characters: number
}

/** Results that have to be published before the profiles of their messages are stored, in the order of the messages. */
export interface Unpublished {
  /** Adds the signals of a message that its site wants, and all else that comes of it. */
  add(visitorId: string, results: Omit<UnpublishedEntry, 'siteId' | 'visitorId' | 'characters'>): void
  entries(): readonly UnpublishedEntry[]
  /** Removes entries, because they are published or their visitor was deleted. */
  remove(isRemoved: (entry: UnpublishedEntry) => boolean): void
  readonly size: number
  /** Characters of all entries. */
  readonly characters: number
}

/**
 * Creates an empty list of results to publish.
 *
 * @param selectSignals returns the signals that their site wants, undefined where that is none. Default: all
 * @param selectRewards returns the messages that may be rewards, undefined where none is. Default: all
 */
export function createUnpublished(
  selectSignals: (envelope: SignalEnvelope) => SignalEnvelope | undefined = envelope => envelope,
  selectRewards: (envelope: ForwardEnvelope) => ForwardEnvelope | undefined = envelope => envelope,
): Unpublished {
  let entries: UnpublishedEntry[] = []
  return {
    add(visitorId, { signals, rejected, identity, news, tellings, learning, forward }) {
      const selected = signals && selectSignals(signals)
      if (selected) entries.push({ siteId: selected.siteId, visitorId, signals: selected, characters: 0 })
      const siteId = (identity ?? news?.[0] ?? tellings?.[0])?.siteId
      if (siteId !== undefined) {
        const ofPerson = { ...(identity && { identity }), ...(news && { news }), ...(tellings && { tellings }) }
        entries.push({ siteId, visitorId, ...ofPerson, characters: 0 })
      }
      if (learning) entries.push({ siteId: learning.siteId, visitorId, learning, characters: 0 })
      const rewards = forward && selectRewards(forward)
      if (rewards) entries.push({ siteId: rewards.siteId, visitorId, forward: rewards, characters: 0 })
      if (!rejected) return
      const characters = rejected.rejected.reduce((sum, { payload, reason }) => sum + payload.length + reason.length, 0)
      entries.push({ siteId: rejected.siteId, visitorId, rejected, characters })
    },
    entries: () => entries,
    remove(isRemoved) {
      entries = entries.filter(entry => !isRemoved(entry))
    },
    get size() {
      return entries.length
    },
    get characters() {
      return entries.reduce((sum, { characters }) => sum + characters, 0)
    },
  }
}
