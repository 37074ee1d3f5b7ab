import { type Counted, type ExperimentResults, resultsOf, type Standings, verdictOfTournament } from '@slotstream/core'
import {
  type Experiment,
  RESULTS_SUBJECT,
  type ResultsReply,
  type ResultsRequest,
  type StoppedExperiment,
  type TournamentStep,
} from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'

/** How long the warehouse may take, in milliseconds. */
const TIMEOUT_MS = 65_000

/** Metric by which a slot without an experiment is compared with its holdout. */
const HOLDOUT = { metrics: ['Slot Clicked'] }

/** Standings of a tournament at the last look. Absent: there was none yet */
export type TournamentResults = Partial<Standings> & {
  /** The candidate that is tried. Null: none yet */
  arm: string | null
  steps: readonly TournamentStep[]
}

/** Results with the experiment that they are of, and the SQL of each number. */
export type SlotResults = ExperimentResults & {
  experiment: string | null
  /** How the experiment ended. Null: it runs */
  stopped: StoppedExperiment | null
  tournament: TournamentResults | null
  sql: Record<string, string>
}

/**
 * Reads what is known of an experiment, or of a slot against those held out.
 *
 * @throws Failure `unavailable` when no warehouse answers
 */
export type ReadResults = (request: ResultsRequest) => Promise<SlotResults>

/** Creates the function that asks a process with the role warehouse. */
export function createReadResults(nats: Pick<Nats, 'connection'>, timeoutMs = TIMEOUT_MS): ReadResults {
  return async request => {
    const reply = await askWarehouse<Exclude<ResultsReply, { failed: string }>>(nats, request, timeoutMs)
    const { experiment } = request
    const results = resultsOf(experiment ?? HOLDOUT, reply.counted as Counted)
    const { id = null, stopped = null } = experiment ?? {}
    const tournament = tournamentOf(experiment, reply.standings as Standings | undefined)
    const verdictOfCandidates = experiment && verdictOfTournament(experiment, reply.standings as Standings | undefined)
    const verdict = verdictOfCandidates ?? results.verdict
    return { experiment: id, ...results, verdict, stopped, tournament, sql: reply.sql }
  }
}

function tournamentOf(experiment: Experiment | undefined, standings?: Standings): TournamentResults | null {
  if (!experiment?.tournament) return null
  const { arm = null, steps = [] } = experiment.tournament
  return { ...standings, arm, steps }
}

/**
 * Asks a process with the role warehouse.
 *
 * @throws Failure `unavailable` when none answers
 */
export async function askWarehouse<Reply extends object>(
  { connection }: Pick<Nats, 'connection'>,
  request: ResultsRequest,
  timeoutMs = TIMEOUT_MS,
): Promise<Reply> {
  const answer = await connection
    .request(RESULTS_SUBJECT, JSON.stringify(request), { timeout: timeoutMs })
    .catch(() => {
      throw new Failure('unavailable', 'no aggregator with the role warehouse answers: start one, and ask again')
    })
  const reply = answer.json<Reply | { failed: string }>()
  if ('failed' in reply) throw new Failure('unavailable', reply.failed)
  return reply
}

/** Days of results where none are asked for. */
const DEFAULT_DAYS = 30

const DAY_MS = 86_400_000

/**
 * Returns the period of a request for results, and the experiment: the one that is named, else the first one of the
 * slot that runs, else the first one that was stopped.
 *
 * @throws Failure `malformed` when a time is none; `not_found` when there is no such experiment
 */
export function resultsRequest(
  { siteId, slotId }: Pick<ResultsRequest, 'siteId' | 'slotId'>,
  query: Record<string, unknown>,
  experiments: readonly Experiment[],
  now: number,
): ResultsRequest {
  const to = timeOf(query, 'to') ?? now
  const from = timeOf(query, 'from') ?? to - DEFAULT_DAYS * DAY_MS
  if (!(from < to)) throw new Failure('malformed', 'from must be before to')
  const ofSlot = experiments.filter(({ slot }) => slot === slotId)
  const { experiment: name } = query
  const current = ofSlot.find(({ stopped }) => !stopped) ?? ofSlot[0]
  const experiment = name === undefined ? current : ofSlot.find(({ id }) => id === name)
  if (name !== undefined && !experiment)
    throw new Failure('not_found', `slot ${slotId} has no experiment of that id: GET …/experiments lists them`)
  const period = { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
  return { siteId, slotId, ...period, ...(experiment && { experiment }) }
}

function timeOf(query: Record<string, unknown>, name: string): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN
  if (!(Math.abs(time) <= 8.64e15 && new Date(time).getUTCFullYear() >= 1970 && new Date(time).getUTCFullYear() < 2200))
    throw new Failure('malformed', `${name} must be an ISO 8601 time such as 2026-11-01T00:00:00Z`)
  return time
}
