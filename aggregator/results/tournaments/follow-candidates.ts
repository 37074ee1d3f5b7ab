import { isDeepStrictEqual } from 'node:util'
import type { ClickHouseClient } from '@clickhouse/client'
import { type CompiledSlot, createTournament, type Standings, slotOfCatalog } from '@slotstream/core'
import { DEFAULT_CLICK_MINUTES, type Experiment, type PolicySpec } from '@slotstream/protocol'
import { createSlices } from '@slotstream/runtime'
import { type DecidedRange, readDecided } from './read-decided.js'
import { createSlotsThen } from './slots-then.js'

/** Time that a decision may be later in the table than what was read, in milliseconds. */
const SETTLED_MS = 60_000

/** Time of which decisions are read at once, in milliseconds. */
const AT_ONCE_MS = 86_400_000

/** Standings of candidates, and since when. */
export interface FollowedStandings extends Standings {
  /** ISO 8601: decisions from then on are compared. Later than asked for where the slot's policy was changed since. */
  since: string
  /** ISO 8601: decisions until before then were looked at. */
  until: string
  /** Policy that runs, as the last decision was made by it. Absent: the default one, or none was made */
  policy?: PolicySpec
  /** Reason why a certain result is not acted on. Absent: it is acted on */
  held?: string
}

/** Candidates of one tournament that follow the log. */
export interface FollowedCandidates {
  /**
   * Values them by what was decided since the last time. Where it rejects, some of that was taken: begin anew.
   *
   * @param loaded time up to which it is known what came of decisions, in milliseconds since the epoch
   * @param ended experiments of the slot that ended
   */
  follow(loaded: number, ended: readonly Pick<Experiment, 'arms'>[], abort: AbortSignal): Promise<void>
  standings(): FollowedStandings
}

/** Experiment with a tournament, of a site. */
export interface FollowedTournament {
  siteId: string
  experiment: Experiment
  /** Milliseconds since the epoch: decisions from then on are compared. */
  since: number
  includesBots: boolean
}

/**
 * Begins to follow the log of a slot. Where the slot's policy changes, what runs is another one, and all begins anew;
 * new content leaves what is known. Decisions of a version that is not in the tables are left out.
 */
export function followCandidates(
  clickhouse: ClickHouseClient,
  { siteId, experiment, since, includesBots }: FollowedTournament,
): FollowedCandidates {
  const { slot: slotId, arms, tournament } = experiment
  const { clickMinutes = DEFAULT_CLICK_MINUTES } = tournament ?? {}
  const candidates = arms.slice(1)
  const names = candidates.map(({ id }) => id)
  const then = createSlotsThen(clickhouse, siteId, slotId)
  const others = new Map<CompiledSlot, (CompiledSlot | undefined)[]>()
  const begin = () => createTournament(siteId, names, { fitsItems: false })
  let valued = begin()
  let unknown = 0
  let begun = since
  let until = begun
  let running: { policy: PolicySpec | undefined } | undefined

  function othersOf(was: CompiledSlot): (CompiledSlot | undefined)[] {
    const catalog = { slots: [was.slot], content: was.contents.map(({ content }) => content) }
    const candidateSlots = others.get(was) ?? candidates.map(arm => slotOfCatalog(catalog, slotId, arm))
    if (!others.has(was)) others.clear()
    others.set(was, candidateSlots)
    return candidateSlots
  }

  async function take(
    range: DecidedRange,
    ended: readonly Pick<Experiment, 'arms'>[],
    abort: AbortSignal,
  ): Promise<void> {
    const pauseIfLong = createSlices()
    for await (const decision of readDecided(clickhouse, range, abort)) {
      await pauseIfLong()
      const { record } = decision
      const was = await then.find(record, ended)
      if (!was) {
        unknown++
        continue
      }
      if (running && !isDeepStrictEqual(running.policy, was.slot.policy)) {
        valued = begin()
        unknown = 0
        begun = Date.parse(record.timestamp)
      }
      running = { policy: was.slot.policy }
      valued.add(decision, was, othersOf(was))
    }
  }

  return {
    async follow(loaded, ended, abort) {
      const end = loaded - clickMinutes * 60_000 - SETTLED_MS
      while (until < end) {
        const to = Math.min(end, until + AT_ONCE_MS)
        await take({ siteId, slotId, from: until, to, clickMinutes, includesBots }, ended, abort)
        until = to
      }
    },
    standings() {
      const { leftOut, ...rest } = valued.standings()
      return {
        since: new Date(begun).toISOString(),
        until: new Date(until).toISOString(),
        ...(running?.policy && { policy: running.policy }),
        ...rest,
        leftOut: leftOut + unknown,
      }
    },
  }
}
