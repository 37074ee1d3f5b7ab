import { PAUSE_MS } from '@slotstream/core/session'
import type { StoredMessage, Visit } from '@slotstream/protocol'
import type { KeyValue } from '../platform/storage.js'
import type { Tab } from './tab.js'

/** Counts by one tab of a visitor's sessions. Together the shares of all tabs are what the browser knows. */
export interface Share {
  /** `anonymousId` of the visitor. */
  visitor: string
  visits: Visit[]
  /** Messages that wait for the definitions of their session. */
  waiting: StoredMessage[]
  /** The session of which not everything is known, so that nothing of it is told, and the time of its last message. */
  lost?: [session: string, at: number]
}

/** Most characters of all shares together. Beyond it, what the session has is given up. */
const MAX_LENGTH = 100_000

/** Prefix of the keys of shares. */
const PREFIX = 'share.'

export type Shares = ReturnType<typeof createShares>

/**
 * Creates the shares of this browser's tabs. Each page writes the one of its tab, so that two tabs never write the
 * same, and no message is lost between them.
 *
 * @param storedPrefix what keys of `storage` begin with in the browser's own
 */
export function createShares(storage: KeyValue, storedPrefix: string, tab: Tab) {
  const read = new Map<string, { text: string; share: Share | undefined }>()
  /** The own one as it was written last: others can't change it. */
  let ownShare: Share | undefined
  const ownKey = () => PREFIX + tab.id()

  const shareAt = (key: string): Share | undefined => {
    const text = storage.get(key) ?? ''
    const cached = read.get(key)
    if (cached?.text === text) return cached.share
    const share = parseShare(text)
    read.set(key, { text, share })
    return share
  }
  const otherKeys = () => storedKeys(storedPrefix).filter(key => key !== ownKey())

  return {
    own() {
      ownShare ??= shareAt(ownKey())
      return ownShare
    },
    /** Returns the shares of a visitor, the own one among them. */
    of(visitor: string): Share[] {
      return [this.own(), ...otherKeys().map(shareAt)].filter(share => share?.visitor === visitor) as Share[]
    },
    /** Tells whether all shares together would be too large with a new own one. */
    isTooLarge(share: Share): boolean {
      const others = otherKeys().reduce((length, key) => length + (storage.get(key)?.length ?? 0), 0)
      return JSON.stringify(share).length + others > MAX_LENGTH
    },
    /** Stores the own share. */
    keep(share: Share): void {
      ownShare = share
      storage.set(ownKey(), JSON.stringify(share))
    },
    /** Removes shares of others that are over: their tabs were closed, or have not been used since. */
    prune(isOver: (share: Share) => boolean): void {
      for (const key of otherKeys()) {
        const share = shareAt(key)
        if (!share || isOver(share)) storage.set(key)
      }
    },
    /** Goes on with what the pages of this tab have stored meanwhile. */
    reread(): void {
      ownShare = undefined
    },
    /** Removes all of them. */
    forget(): void {
      ownShare = undefined
      for (const key of [ownKey(), ...otherKeys()]) storage.set(key)
    },
  }
}

/** Returns the keys of shares in this browser; none where storage is blocked. */
function storedKeys(storedPrefix: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter(key => key.startsWith(storedPrefix + PREFIX))
      .map(key => key.slice(storedPrefix.length))
  } catch {
    return []
  }
}

/** Parses what a page has stored, which another script may have changed. */
function parseShare(text: string): Share | undefined {
  try {
    const share = JSON.parse(text) as Share
    const { visitor, visits, waiting } = share
    const isShare = typeof visitor === 'string' && visits.every(isVisit) && waiting.every(isMessage)
    return isShare ? share : undefined
  } catch {
    return undefined
  }
}

function isMessage({ timestamp }: StoredMessage): boolean {
  return typeof timestamp === 'string'
}

function isVisit([id, startedAt, endedAt, messages, cells]: Visit): boolean {
  return typeof id === 'string' && [startedAt, endedAt, messages].every(Number.isFinite) && Array.isArray(cells)
}

/** Tells whether none of these sessions can be running, nor go on: the browser's latest one may. */
export function isOver(visits: readonly Visit[], session: string, now: number): boolean {
  return visits.every(([id, , endedAt]) => id !== session && endedAt < now - PAUSE_MS)
}
