import type { Experiment, StoppedExperiment, TournamentStep } from '@slotstream/protocol'
import type { CandidateStanding, Standings } from '../replay/tournament.js'

/** Change of an experiment with a tournament: the steps that are new, and what follows from them. */
export interface AfterLook {
  steps: TournamentStep[]
  /** Candidate that is tried from now on. */
  arm?: string
  /** How the experiment ends: by an arm that was promoted, or since no candidate is left. */
  stopped?: StoppedExperiment
}

/**
 * Returns what is done after a look at the candidates of a tournament; undefined: nothing. A candidate that is worse
 * for certain is dropped; the best of those that are better for certain is tried or promoted, once: taken back, it
 * stays where it is.
 *
 * @param at milliseconds since the epoch
 */
export function afterLook(
  { arms, tournament, stopped }: Pick<Experiment, 'arms' | 'tournament' | 'stopped'>,
  { running, candidates }: Standings,
  at: number,
): AfterLook | undefined {
  if (!tournament || tournament.arm !== undefined || stopped) return undefined
  const { apply = 'try', steps: before = [] } = tournament
  if (apply === 'tell') return undefined
  const done = new Set(before.map(({ arm }) => arm))
  const time = new Date(at).toISOString()
  const stepOf = ({ name, value, low, high, decisions, reason }: CandidateStanding, step: TournamentStep['step']) => ({
    ...{ at: time, arm: name, step, reason, decisions, value, low, high },
    running: { value: running.value, low: running.low, high: running.high },
  })
  const open = candidates.filter(({ name }) => !done.has(name))
  const steps = open.filter(({ standing }) => standing === 'worse').map(candidate => stepOf(candidate, 'dropped'))
  const best = open.find(({ standing }) => standing === 'better')
  if (best) steps.push(stepOf(best, apply === 'try' ? 'tried' : 'promoted'))
  if (steps.length === 0) return undefined
  if (best && apply === 'try') return { steps, arm: best.name }
  if (best) return { steps, stopped: { at: time, reason: 'better', arm: best.name, verdict: meaningOf(steps.at(-1)!) } }
  const isOver = [...before, ...steps].filter(({ step }) => step === 'dropped').length === arms.length - 1
  return isOver ? { steps, stopped: { at: time, reason: 'worse', verdict: NONE_LEFT } } : { steps }
}

/** Standings, and why what is certain of candidates is not acted on. */
type HeldStandings = Standings & { held?: string }

/**
 * Says in plain words what is known of an experiment with a tournament in which no candidate was tried; undefined: it
 * is one with persons.
 *
 * @param standings undefined: they were not looked at yet
 */
export function verdictOfTournament(
  { tournament, stopped }: Pick<Experiment, 'tournament' | 'stopped'>,
  standings: HeldStandings | undefined,
): string | undefined {
  if (!tournament || tournament.arm !== undefined) return undefined
  return stopped?.verdict ?? meaningOfStandings(standings)
}

/**
 * Says in plain words how candidates stand while none is tried.
 *
 * @param standings undefined: they were not looked at yet
 */
export function meaningOfStandings(standings: HeldStandings | undefined): string {
  if (!standings)
    return 'No person is shown a candidate yet, and the log was not looked at yet: ask again in some minutes.'
  const { running, candidates, held: holdReason } = standings
  if (running.decisions === 0)
    return 'No person is shown a candidate yet, and there is no decision yet of which all clicks that count are known.'
  const valued = `No person is shown a candidate yet. By ${running.decisions.toLocaleString('en-US')} decisions`
  const better = candidates.filter(({ standing }) => standing === 'better')
  const worse = candidates.filter(({ standing }) => standing === 'worse')
  const why = holdReason === undefined ? '' : ` Nothing is done: ${holdReason}.`
  if (better.length > 0) return `${valued} ${named(better)} would be better than what runs.${why}`
  if (candidates.length > 0 && worse.length === candidates.length) return `${valued} all would be worse than what runs.`
  return `${valued} no candidate is better for certain.${whyUnvalued(candidates)}`
}

/** Says why candidates cannot be valued, each reason once. */
function whyUnvalued(candidates: readonly CandidateStanding[]): string {
  const reasons = new Map<string, CandidateStanding[]>()
  for (const candidate of candidates) {
    if (!candidate.refused) continue
    const { code, reason } = candidate.refused
    const why = code === 'low_sample' ? `cannot be valued yet: ${reason}` : `cannot be valued: ${reason}`
    reasons.set(why, [...(reasons.get(why) ?? []), candidate])
  }
  return [...reasons].map(([why, unvalued]) => ` ${named(unvalued)} ${why}.`).join('')
}

function named(candidates: readonly CandidateStanding[]): string {
  return candidates.map(({ name }) => `"${name}"`).join(' and ')
}

const NONE_LEFT = 'All candidates are worse than what runs, by what the log says of them.'

function meaningOf({ arm, value, low, high, running, decisions }: TournamentStep): string {
  const [its, from, to, now] = [value, low, high, running.value].map(share => share.toPrecision(3))
  return `"${arm}" is better than what ran, by ${decisions} decisions: ${its}, between ${from} and ${to}, instead of ${now}.`
}
