import { isDeepStrictEqual } from 'node:util'
import type { Experiment, ExperimentArm } from '@slotstream/protocol'

/**
 * Returns experiments whose tournaments have what was left out: since when decisions count, the steps of candidates
 * that are as they were, and the one that is tried.
 *
 * @param takenBack ids of those of which none is to be tried any more
 * @param isPut whether they are put: a candidate that is tried stays so. Else they are an earlier revision, which has
 * no say in what was done since: what was taken back by it is not tried again
 */
export function withTournaments(
  experiments: readonly Experiment[],
  before: readonly Experiment[],
  takenBack: ReadonlySet<unknown>,
  isPut: boolean,
): readonly Experiment[] {
  const stored = new Map(before.map(experiment => [experiment.id, experiment]))
  return experiments.map(experiment => {
    if (!experiment.tournament) return experiment
    const was = stored.get(experiment.id)
    const same = sameArms(experiment.arms, was?.arms ?? [])
    const { since = new Date().toISOString(), arm, steps = [] } = was?.tournament ?? {}
    const isTried = isPut && arm !== undefined && same.has(arm) && !takenBack.has(experiment.id)
    const earlierSteps = steps.filter(step => same.has(step.arm))
    const { steps: nextSteps = earlierSteps, ...rest } = experiment.tournament
    const storedSteps = isPut || earlierSteps.length === 0 ? nextSteps : earlierSteps
    const tournament = {
      since,
      ...(isTried && { arm }),
      ...rest,
      ...(storedSteps.length > 0 && { steps: storedSteps }),
    }
    return { ...experiment, tournament }
  })
}

function sameArms(arms: readonly ExperimentArm[], before: readonly ExperimentArm[]): ReadonlySet<string> {
  const was = new Map(before.map(arm => [arm.id, arm]))
  return new Set(arms.flatMap(arm => (isDeepStrictEqual(arm, was.get(arm.id)) ? [arm.id] : [])))
}
