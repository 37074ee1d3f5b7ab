import { applyAndDetect } from '@slotstream/core'
import type { EventEnvelope, Profile, RejectedEnvelope, SignalEnvelope } from '@slotstream/protocol'
import { hashText } from '../../hash-text.js'
import type { ProfileCache } from './profile-cache.js'
import type { Progress } from './progress.js'

/** What became of a message of the stream. */
export type Applied = 'applied' | 'replayed' | 'bad'

/** What a message gives beside the profile: it has to be published before the profile is stored. */
export interface Findings {
  /** Whose they are. */
  siteId: string
  visitorId: string
  signals?: SignalEnvelope
  refused?: RejectedEnvelope
  /** Characters of what was refused: much may wait to be published. */
  size?: number
}

/**
 * Makes the function that applies a partition's messages: at once where the profile is in memory; else when it has
 * been read, the later messages waiting behind it.
 *
 * @param report told what became of each message; of bad ones, why. The partition goes on when it resolves: a later
 *   message that counted before a bad one is kept would make the bad one look like a replay after a crash
 * @param detected told of what a message gives beside the profile, before anything shows that it was applied
 * @param anonymousDays see `applyAndDetect`
 * @returns takes a message as it was read, or why it can't be
 */
export function createApplier(
  partition: ProfileCache,
  progress: Progress,
  report: (result: Applied, messages: number, seq: number, error?: unknown) => void | Promise<void>,
  detected: (findings: Findings) => void,
  anonymousDays?: number,
): (seq: number, message: EventEnvelope | Error, bytes?: number) => void {
  let last: Promise<void> | undefined

  function step(seq: number, envelope: EventEnvelope, profile: Profile | undefined): void | Promise<void> {
    try {
      const { profile: after, signals, refused } = applyAndDetect(profile, envelope, seq, hashText, anonymousDays)
      const { siteId, visitorId, receivedAt } = envelope
      if (signals.length > 0) detected({ siteId, visitorId, signals: { siteId, visitorId, receivedAt, signals } })
      if (refused) {
        const size = refused.reduce((sum, { payload, reason }) => sum + payload.length + reason.length, 0)
        detected({ siteId, visitorId, refused: { siteId, receivedAt, rejected: refused }, size })
      }
      if (after && after !== profile) partition.put(after)
      return report(after && after === profile ? 'replayed' : 'applied', envelope.messages.length, seq)
    } catch (error) {
      return report('bad', envelope.messages.length, seq, error)
    }
  }

  return (seq, message, bytes = 0) => {
    const run = (): void | Promise<void> => {
      if (message instanceof Error) return report('bad', 1, seq, message)
      const profile = partition.get(message.siteId, message.visitorId)
      if (!(profile instanceof Promise)) return step(seq, message, profile)
      return profile.then(read => step(seq, message, read))
    }
    const running = last ? last.then(run) : run()
    progress.received(seq, !running, bytes)
    if (!running) return
    const tail = running.then(() => {
      if (last === tail) last = undefined
      progress.applied(seq)
    })
    // A read fails for good only when the role stops. Then the message stays unapplied, and so before the checkpoint.
    tail.catch(() => {})
    last = tail
  }
}
