import { countMessages, PAUSE_MS, sessionIdOf, sessionValues } from '@slotstream/core/session'
import type { StoredMessage } from '@slotstream/protocol'
import { guard, type Log } from '../platform/guard.js'
import type { FeatureValues } from '../types.js'
import type { Definitions } from './definitions.js'
import { isOver, type Share, type Shares } from './shares.js'

export interface CounterDeps {
  shares: Shares
  definitions: Definitions
  now: () => number
  log: Log
  /** Called when the values may have changed. */
  onChange: () => void
}

export type Counter = ReturnType<typeof createCounter>

/**
 * Returns the name under which the definitions of a message's session are kept; what names no session has those of its
 * day.
 */
const sessionOf = (message: StoredMessage) => sessionIdOf(message) ?? message.timestamp.slice(0, 10)

/** Counts this tab's messages, and tells what those of all tabs come to. */
export function createCounter({ shares, definitions, now, log, onChange }: CounterDeps) {
  let latest: StoredMessage | undefined

  /** Returns a share with what waits in it counted, if the definitions are known. */
  const settled = (share: Share): Share => {
    const { visits, waiting } = share
    const last = waiting.at(-1)
    const definition = last && definitions.of(sessionOf(last))
    return definition ? { ...share, visits: countMessages(visits, waiting, definition.features), waiting: [] } : share
  }
  const settle = () => {
    const share = shares.own()
    const last = share?.waiting.at(-1)
    if (!share || !last) return
    const after = settled(share)
    if (after !== share) keep(after, last)
    else
      void definitions.request(sessionOf(last)).then(isKnown => {
        // Not of a session that has begun meanwhile.
        if (isKnown) settle()
      }, log)
  }
  const lose = (visitor: string, session: string) => {
    shares.keep({ visitor, visits: [], waiting: [], lost: [session, now()] })
    onChange()
  }
  const keep = (share: Share, last: StoredMessage) => {
    if (shares.isTooLarge(share)) lose(share.visitor, sessionOf(last))
    else {
      shares.keep(share)
      onChange()
    }
  }

  return {
    /** Counts a message that was not counted before. */
    add(message: StoredMessage): void {
      latest = message
      const { anonymousId: visitor = '' } = message
      const before = shares.own()
      const share = before?.visitor === visitor ? before : { visitor, visits: [], waiting: [] }
      const session = sessionOf(message)
      if (share.lost?.[0] === session) lose(visitor, session)
      else {
        const { visits, waiting } = share
        const after = guard(log, () => settled({ visitor, visits, waiting: [...waiting, message] }))
        // Nothing can be added to what another script has put there.
        keep(after ?? { visitor, visits: [], waiting: [message] }, message)
        settle()
      }
    },
    /** Gives up the session: some of its messages are not known here. */
    giveUp(): void {
      if (latest) lose(latest.anonymousId ?? '', sessionOf(latest))
    },
    settle,
    /** Returns the values of a visitor's running session; none where something of it is not known. */
    values(visitor: string): FeatureValues {
      const latest = definitions.latest()
      if (!latest) return {}
      const { features } = latest
      const all = shares.of(visitor)
      const isLost = ({ lost }: Share) => lost && (lost[0] === latest.session || lost[1] >= now() - PAUSE_MS)
      if (all.some(isLost)) return {}
      const values = guard(log, () => {
        const counted = all.map(({ visits, waiting }) => countMessages(visits, waiting, features))
        return sessionValues(counted, features, now()) as FeatureValues
      })
      // As long as it is there, nothing could be told.
      if (!values) shares.forget()
      return values ?? {}
    },
    /** Removes what is over, or of another visitor. */
    prune(visitor: string): void {
      const latest = definitions.latest()
      shares.prune(share => {
        if (share.visitor !== visitor) return true
        if (!latest) return false
        const { lost, visits, waiting } = share
        const counted = guard(log, () => countMessages(visits, waiting, latest.features)) ?? []
        if (lost) counted.push([lost[0], lost[1], lost[1], 0, []])
        return isOver(counted, latest.session, now())
      })
    },
  }
}
