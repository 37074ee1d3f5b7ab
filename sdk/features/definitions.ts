import { compileSessionFeatures, type SessionFeatures } from '@slotstream/core/session'
import type { Log } from '../platform/guard.js'
import type { KeyValue } from '../platform/storage.js'

/** Key under which the definitions of the latest session are kept. */
const KEY = 'features'

/** Longest answer that is taken, in characters; the collector's are at most half as long. */
const MAX_LENGTH = 65_536

/** Pause after which definitions are asked for again that could not be had, in milliseconds. */
const PAUSE_MS = 30_000

/** A session and the definitions that it began with: other ones would have missed its first messages. */
interface Pinned {
  session: string
  features: unknown[]
}

/** Definitions, ready for messages of a session. */
export interface SessionDefinitions extends SessionFeatures {
  session: string
}

export type Definitions = ReturnType<typeof createDefinitions>

/**
 * Creates the definitions of features, asked for once a session, and kept for all tabs and for pages without a network.
 *
 * @param ask resolves to the collector's answer
 */
export function createDefinitions(storage: KeyValue, ask: () => Promise<string>, now: () => number, log: Log) {
  let cached: { text: string; pinned: Pinned | undefined; compiled: SessionDefinitions | undefined } | undefined
  let asking: Promise<boolean> | undefined
  let failedAt = Number.NEGATIVE_INFINITY

  const read = () => {
    const text = storage.get(KEY) ?? ''
    if (text !== cached?.text) {
      const pinned = parsePinned(text)
      const compiled = pinned && { session: pinned.session, ...compileSessionFeatures(pinned.features) }
      for (const reason of compiled?.leftOut ?? []) log('a feature is left out', reason)
      cached = { text, pinned, compiled }
    }
    return cached
  }
  /** Resolves to whether there are definitions now: without an answer those of the session before go on. */
  const pin = async (session: string) => {
    const answer = await ask().catch(log as () => undefined)
    const { pinned } = read()
    // Another tab was quicker: all count by the same ones.
    if (pinned?.session === session) return true
    const features = (answer && featuresIn(answer)) || pinned?.features
    if (features) storage.set(KEY, JSON.stringify({ session, features } satisfies Pinned))
    else failedAt = now()
    return !!features
  }

  return {
    /** Returns the latest definitions there are. */
    latest: () => read().compiled,
    /** Returns those of a session; undefined: they are to be asked for. */
    of(session: string) {
      const { compiled } = read()
      return compiled?.session === session ? compiled : undefined
    },
    /** Asks for those of a session. Resolves to whether there are any now. */
    request(session: string): Promise<boolean> {
      if (now() - failedAt < PAUSE_MS) return Promise.resolve(false)
      asking ??= pin(session).finally(() => {
        asking = undefined
      })
      return asking
    },
    /** Ends the pause, as the network is back. */
    retry() {
      failedAt = Number.NEGATIVE_INFINITY
    },
  }
}

function parsePinned(text: string): Pinned | undefined {
  try {
    const pinned = JSON.parse(text) as Pinned
    return typeof pinned.session === 'string' && Array.isArray(pinned.features) ? pinned : undefined
  } catch {
    return undefined
  }
}

/** Returns the definitions in an answer; undefined where it has none, as one of an error. */
function featuresIn(answer: string): unknown[] | undefined {
  if (answer.length > MAX_LENGTH) return undefined
  try {
    const { features } = JSON.parse(answer) as { features?: unknown }
    return Array.isArray(features) ? features : undefined
  } catch {
    return undefined
  }
}
