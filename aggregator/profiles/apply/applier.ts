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
  /** The timers of profiles. Default: not noted */
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

export interface Apply {
  /**
   * Applies a message as it was read from the stream, or the reason why it cannot be read.
   *
   * @param bytes size of the message in the stream. Default 0
   */
  (seq: number, message: EventEnvelope | Error, bytes?: number): StepResult | Promise<StepResult>
  /** Changes a profile that there is, in turn with the messages. Rejects as they do. */
  change: ChangeProfile
}

/** Changes a visitor's profile, if there is one. `change` may give back what it gets. Resolves when that was done. */
export type ChangeProfile = (
  siteId: string,
  visitorId: string,
  change: (profile: Profile) => Profile,
) => void | Promise<void>

/**
 * Creates the function that applies a partition's messages in order: at once where the profile is in memory; else when
 * it has been read, the later messages waiting behind it. Its results are in memory when they are returned. A promise
 * rejects when a profile cannot be read any more, which is when the partition is given up: the message then stays
 * unapplied, and so do the later ones.
 */
export function createApplier(deps: ApplierDeps): Apply {
  const { cache, progress, unpublished, timers, deadLetter, anonymousDays, definitionsOf } = deps
  let last: Promise<unknown> | undefined

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

  /** Runs work after all that waits. `done` is called when work that had to wait is done. */
  function inTurn<T>(work: () => T | Promise<T>, done: () => void): T | Promise<T> {
    const result = last ? last.then(work) : work()
    if (!(result instanceof Promise)) return result
    const tail: Promise<T> = result.then(settled => {
      if (last === tail) last = undefined
      done()
      return settled
    })
    // Callers need not handle the end of a partition that is given up.
    tail.catch(() => {})
    last = tail
    return tail
  }

  function apply(seq: number, message: EventEnvelope | Error, bytes = 0): StepResult | Promise<StepResult> {
    const result = inTurn(
      () => run(seq, message),
      () => progress.applied(seq),
    )
    progress.received(seq, !(result instanceof Promise), bytes)
    return result
  }

  function changeNow(siteId: string, visitorId: string, change: (profile: Profile) => Profile): void | Promise<void> {
    const profile = cache.get(siteId, visitorId)
    if (profile instanceof Promise) return profile.then(read => put(read))
    put(profile)

    function put(before: Profile | undefined): void {
      const after = before && change(before)
      if (after && after !== before) cache.put(after)
    }
  }

  return Object.assign(apply, {
    change: ((siteId, visitorId, change) =>
      inTurn(
        () => changeNow(siteId, visitorId, change),
        () => {},
      )) satisfies ChangeProfile,
  })
}
