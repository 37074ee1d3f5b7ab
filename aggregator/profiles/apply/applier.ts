import type { EventEnvelope, Profile } from '@slotstream/protocol'
import type { ProfileCache } from '../cache/profile-cache.js'
import type { ReducerDefinitions } from '../definitions/compiled-definitions.js'
import type { PartitionTimers } from '../timers/partition-timers.js'
import { applyStep, type StepResult } from './apply-step.js'
import type { Progress } from './progress.js'
import type { Unpublished } from './unpublished.js'

export interface ApplierDeps {
  cache: Pick<ProfileCache, 'get' | 'put'>
  progress: Pick<Progress, 'received' | 'applied'>
  unpublished: Pick<Unpublished, 'add'>
  /** What is due by profiles. Default: not noted */
  timers?: Pick<PartitionTimers, 'note'>
  /**
   * Stores a message that cannot be applied as a dead letter. The partition goes on when it resolves: a later message
   * that was applied before the dead letter is stored would make this one look like a replay after a crash.
   */
  deadLetter(seq: number, error: unknown): Promise<void>
  /** See `applyAndDetect`. */
  anonymousDays?: number
  /** Returns what a site declares. Default: what every site has */
  definitionsOf?: (siteId: string) => ReducerDefinitions
}

/**
 * Applies a message as it was read from the stream, or the reason why it cannot be read.
 *
 * @param bytes size of the message in the stream. Default 0
 */
export type Apply = (seq: number, message: EventEnvelope | Error, bytes?: number) => StepResult | Promise<StepResult>

/**
 * Creates the function that applies a partition's messages in order: at once where the profile is in memory; else when
 * it has been read, the later messages waiting behind it. Its results are in memory when they are returned. A promise
 * rejects when a profile cannot be read any more, which is when the partition is given up: the message then stays
 * unapplied, and so do the later ones.
 */
export function createApplier(deps: ApplierDeps): Apply {
  const { cache, progress, unpublished, timers, deadLetter, anonymousDays, definitionsOf } = deps
  let last: Promise<StepResult> | undefined

  function run(seq: number, message: EventEnvelope | Error): StepResult | Promise<StepResult> {
    if (message instanceof Error) return rejectMessage(seq, { outcome: 'bad', messages: 1, error: message })
    const { siteId, visitorId } = message
    const profile = cache.get(siteId, visitorId)
    if (profile instanceof Promise) return profile.then(read => commit(seq, visitorId, step(read, message, seq)))
    return commit(seq, visitorId, step(profile, message, seq))
  }

  function step(profile: Profile | undefined, message: EventEnvelope, seq: number): StepResult {
    return applyStep(profile, message, seq, { anonymousDays, ...definitionsOf?.(message.siteId) })
  }

  /** Puts profile and signals into memory together: no pass may store the profile without knowing of its signals. */
  function commit(seq: number, visitorId: string, result: StepResult): StepResult | Promise<StepResult> {
    if (result.outcome === 'bad') return rejectMessage(seq, result)
    unpublished.add(visitorId, result)
    if (result.profile) {
      cache.put(result.profile)
      timers?.note(result.profile)
    }
    return result
  }

  async function rejectMessage(seq: number, result: StepResult): Promise<StepResult> {
    await deadLetter(seq, result.error)
    return result
  }

  return (seq, message, bytes = 0) => {
    const result = last ? last.then(() => run(seq, message)) : run(seq, message)
    const isWaiting = result instanceof Promise
    progress.received(seq, !isWaiting, bytes)
    if (!isWaiting) return result
    const tail = result.then(settled => {
      if (last === tail) last = undefined
      progress.applied(seq)
      return settled
    })
    // Callers need not handle the end of a partition that is given up.
    tail.catch(() => {})
    last = tail
    return tail
  }
}
