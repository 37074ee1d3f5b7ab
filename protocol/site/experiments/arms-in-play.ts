import type { Experiment, ExperimentArm } from './experiment.js'

/**
 * Returns the arms that persons are put into. In a tournament: the control and the one that is tried, where there is
 * one, and the control takes the shares of the others.
 */
export function armsInPlay({ arms, tournament }: Pick<Experiment, 'arms' | 'tournament'>): ExperimentArm[] {
  if (!tournament) return arms
  const tried = arms.find(({ id }) => id === tournament.arm)
  return tried ? [{ ...arms[0]!, share: 1 - tried.share }, tried] : []
}
