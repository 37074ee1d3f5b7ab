import { armsInPlay, type Experiment, joined, shareOf } from '@slotstream/protocol'

/** The experiment and arm of a person in a slot. */
export interface Assignment {
  experiment: string
  arm: string
  /** Shares of the arms to which persons are assigned, in their order. */
  shares: number[]
}

/**
 * Returns the index of the arm of a person: by a stable hash, so that it is the same on every server, and every time.
 *
 * @param experiment `id` is part of the hash: experiments are independent of each other, and of holdouts
 */
export function armOf(siteId: string, personId: string, { id, arms }: Pick<Experiment, 'id' | 'arms'>): number {
  const point = shareOf(joined(['experiment', id]), siteId, personId)
  let end = 0
  for (const [index, { share }] of arms.entries()) {
    end += share
    if (point < end) return index
  }
  // Rounded shares may add up to a little less than 1.
  return arms.length - 1
}

/**
 * Returns the one experiment of a group that a person is in: the one with the largest hash of the person (rendezvous
 * hashing, Thaler and Ravishankar 1998), so that a further one takes persons from all of them alike and moves none
 * between them.
 */
export function experimentOfGroup<Of extends Pick<Experiment, 'id'>>(
  siteId: string,
  personId: string,
  group: string,
  experiments: readonly Of[],
): Of | undefined {
  let chosen: Of | undefined
  let largest = -1
  for (const experiment of experiments) {
    const share = shareOf(joined(['group', group, experiment.id]), siteId, personId)
    if (share > largest) [chosen, largest] = [experiment, share]
  }
  return chosen
}

/**
 * Returns the experiment and arm of a person in a slot. Undefined: the slot chooses by `keptArm`, or as it is. An
 * experiment that ended keeps its place in a group, so that its end moves no person into another one, and so does a
 * tournament in which nothing is tried yet.
 */
export function assignmentOf(
  siteId: string,
  personId: string,
  slotId: string,
  experiments: readonly Pick<Experiment, 'id' | 'slot' | 'arms' | 'group' | 'stopped' | 'tournament'>[],
): Assignment | undefined {
  for (const experiment of experiments) {
    const { id, slot, group, stopped } = experiment
    if (slot !== slotId) continue
    if (group !== undefined) {
      const rivals = experiments.filter(other => other.group === group)
      if (experimentOfGroup(siteId, personId, group, rivals) !== experiment) continue
    }
    const arms = armsInPlay(experiment)
    if (stopped || arms.length === 0) continue
    const index = armOf(siteId, personId, { id, arms })
    return { experiment: id, arm: arms[index]!.id, shares: arms.map(({ share }) => share) }
  }
  return undefined
}

/**
 * Returns the arm by which a slot chooses for persons in no running experiment, if one ended: the arm that the latest
 * one promoted, else the control of the latest one. Undefined: none ended
 */
export function keptArm<Of extends Pick<Experiment, 'slot' | 'arms' | 'stopped'>>(
  slotId: string,
  experiments: readonly Of[],
): { experiment: Of; arm: Of['arms'][number] } | undefined {
  let latest: { experiment: Of; arm: Of['arms'][number]; rank: [number, number] } | undefined
  for (const experiment of experiments) {
    const { slot, arms, stopped } = experiment
    if (slot !== slotId || !stopped) continue
    const arm = arms.find(({ id }) => id === stopped.arm) ?? arms[0]!
    const rank: [number, number] = [arm === arms[0] ? 0 : 1, Date.parse(stopped.at)]
    const isLater = !latest || rank[0] > latest.rank[0] || (rank[0] === latest.rank[0] && rank[1] >= latest.rank[1])
    if (isLater) latest = { experiment, arm, rank }
  }
  return latest && { experiment: latest.experiment, arm: latest.arm }
}
