import type { Experiment } from '@slotstream/protocol'
import { Failure } from '../../http/failure.js'
import type { ExperimentStore } from '../experiments/experiment-store.js'
import type { Target } from './store/changes.js'

/** Reader of the experiments of a site. */
export type ReadExperiments = Pick<ExperimentStore, 'read'>

/**
 * Rejects a change that takes away the slot of an experiment that runs: it would end without a word.
 *
 * @throws Failure `conflict` with a line for each such experiment
 */
export async function refuseSlotsInUse(
  store: ReadExperiments,
  siteId: string,
  targets: readonly Target[],
): Promise<void> {
  const removed = removedOf('slot', targets)
  const lines = (await runningOf(store, siteId, removed))
    .filter(({ slot }) => removed.has(slot))
    .map(({ id, slot }) => `slot ${slot} has the experiment ${JSON.stringify(id)}, which runs`)
  if (lines.length === 0) return
  const how = 'stop it, or take it out, with PUT …/experiments first'
  throw new Failure('conflict', `nothing was changed: ${lines[0]}: ${how}`, lines)
}

/** Tells in a line each which arms of experiments that run list contents that a change takes away. */
export async function armsWithoutContent(
  store: ReadExperiments,
  siteId: string,
  targets: readonly Target[],
): Promise<string[]> {
  const removed = removedOf('content', targets)
  return (await runningOf(store, siteId, removed)).flatMap(({ id, arms }) =>
    arms.flatMap(arm =>
      (arm.contentIds ?? [])
        .filter(contentId => removed.has(contentId))
        .map(contentId => `experiment ${id} lists content ${JSON.stringify(contentId)} in the arm ${arm.id}`),
    ),
  )
}

function removedOf(kind: Target['kind'], targets: readonly Target[]): ReadonlySet<string> {
  return new Set(targets.flatMap(target => (target.kind === kind && target.after === undefined ? [target.id] : [])))
}

/** Resolves to none, without reading, where nothing is taken away. */
async function runningOf(
  store: ReadExperiments,
  siteId: string,
  removed: ReadonlySet<string>,
): Promise<readonly Experiment[]> {
  if (removed.size === 0) return []
  return (await store.read(siteId)).experiments.filter(({ stopped }) => !stopped)
}
