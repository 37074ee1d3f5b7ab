import type { Experiment, StoppedExperiment, TournamentStep } from '@slotstream/protocol'
import type { CandidateStanding, Standings } from '../replay/tournament.js'

/** Change of an experiment with a tournament: the new steps, and what follows from them. */
export interface AfterLook {
  steps: TournamentStep[]
  /** Candidate that is tried from now on. */
  arm?: string
  /** Set if the experiment ends: an arm was promoted, or no candidate is left. */
  stopped?: StoppedExperiment
}

/**
 * Returns what to do after a look at the candidates of a tournament; undefined: nothing. A candidate that is certainly
 * worse is dropped. The best one that is certainly better is tried or promoted; an arm that had a step before gets none
 * again, so that what an administrator took back stays so.
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

/** Standings, and the reason if nothing is done although a candidate is certainly better or worse. */
type HeldStandings = Standings & { held?: string }

/**
 * Returns the verdict on a tournament in which no candidate was tried, in plain words; undefined: there is no
 * tournament, or a candidate is tried with persons.
 *
 * @param standings undefined: nothing was looked at yet
 */
export function verdictOfTournament(
  { tournament, stopped }: Pick<Experiment, 'tournament' | 'stopped'>,
  standings: HeldStandings | undefined,
): string | undefined {
  if (!tournament || tournament.arm !== undefined) return undefined
  return stopped?.verdict ?? meaningOfStandings(standings)
}

/**
 * Describes in plain words how the candidates stand while none is tried.
 *
 * @param standings undefined: nothing was looked at yet
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

/** Describes why candidates cannot be valued, each reason once. */
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
