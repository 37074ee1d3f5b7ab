import { isDeepStrictEqual } from 'node:util'
import type { ClickHouseClient } from '@clickhouse/client'
import { type Experiment, joined } from '@slotstream/protocol'
import type { Installation, Log } from '@slotstream/runtime'
import { includesBots } from '../includes-bots.js'
import type { SiteExperiments } from '../watch/stored-experiments.js'
import { type FollowedCandidates, type FollowedStandings, followCandidates } from './follow-candidates.js'

/** Candidates of all tournaments that are followed, in memory. */
export interface Followers {
  /**
   * Values the candidates of a tournament by what was decided since the last time.
   *
   * @param loaded time up to which it is known what came of decisions, in milliseconds since the epoch
   */
  follow(site: SiteExperiments, experiment: Experiment, loaded: number, abort: AbortSignal): Promise<FollowedStandings>
  /** Forgets those of tournaments that are not among these. */
  keep(tournaments: readonly { siteId: string; id: string }[]): void
}

interface Followed {
  /** The rules by which candidates are valued: where they change, candidates are valued anew. */
  rules: unknown
  candidates: FollowedCandidates
}

/** Creates it: none yet. */
export function createFollowers(
  clickhouse: ClickHouseClient,
  { sites }: Pick<Installation['buckets'], 'sites'>,
  log: Log,
): Followers {
  const followed = new Map<string, Followed>()
  return {
    async follow({ siteId, experiments, at }, experiment, loaded, abort) {
      const { id, slot, arms, tournament } = experiment
      const since = tournament?.since === undefined ? at.getTime() : Date.parse(tournament.since)
      const areBotsIncluded = await includesBots(sites, siteId, log)
      const rules = { slot, arms, since, clickMinutes: tournament?.clickMinutes, areBotsIncluded }
      const name = joined([siteId, id])
      const followedBefore = followed.get(name)
      const candidates =
        followedBefore && isDeepStrictEqual(followedBefore.rules, rules)
          ? followedBefore.candidates
          : followCandidates(clickhouse, { siteId, experiment, since, includesBots: areBotsIncluded })
      // Kept only where all was taken.
      followed.delete(name)
      const ended = experiments.filter(each => each.slot === slot && each.stopped)
      await candidates.follow(loaded, ended, abort)
      followed.set(name, { rules, candidates })
      return candidates.standings()
    },
    keep(tournaments) {
      const names = new Set(tournaments.map(({ siteId, id }) => joined([siteId, id])))
      for (const name of followed.keys()) if (!names.has(name)) followed.delete(name)
    },
  }
}
