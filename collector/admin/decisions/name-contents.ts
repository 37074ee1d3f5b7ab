import { CATALOG_TAKES_EFFECT_MS, contentsOfVersion } from '@slotstream/core'
import type { DecisionRecord, Experiment, ExperimentArm } from '@slotstream/protocol'
import type { CatalogStore } from '../catalog/store/catalog-store.js'
import type { ExperimentStore } from '../experiments/experiment-store.js'
import type { ReadContentsThen } from './read-contents-then.js'

/** Earlier revisions of the catalog, and of the experiments, that are looked at. */
const MOST_REVISIONS = 3

export interface VersionDeps {
  catalog: Pick<CatalogStore, 'read' | 'readRevision' | 'history'>
  experimentStore: Pick<ExperimentStore, 'read' | 'readRevision' | 'history'>
  readContentsThen: ReadContentsThen
}

/**
 * Finds the ids of the contents that a slot had when a decision was made, in their order: in the catalog as it is, else
 * in the revisions that were new then, else in the tables, which have all versions. The version in the record tells the
 * right one. Undefined: none is it.
 */
export async function nameContents(
  { catalog, experimentStore, readContentsThen }: VersionDeps,
  siteId: string,
  record: Pick<DecisionRecord, 'slotId' | 'policyVersion' | 'timestamp' | 'experiment' | 'arm'>,
): Promise<string[] | undefined> {
  const { slotId, policyVersion, experiment, arm } = record
  const at = Date.parse(record.timestamp)
  const latest = at + CATALOG_TAKES_EFFECT_MS
  // Outside of experiments a slot chooses as an arm does where an experiment ended.
  const ways: (ExperimentArm | undefined)[] =
    experiment === undefined
      ? [undefined, ...(await armsOf(latest, ({ slot, stopped }) => slot === slotId && stopped !== undefined))]
      : await armsOf(latest, ({ id }, { id: armId }) => id === experiment && armId === arm)
  const now = contentsOfVersion(await catalog.read(siteId), record, ways)
  if (now) return now
  const revisions = (await catalog.history(siteId)).filter(({ at }) => Date.parse(at) <= latest)
  for (const { revision } of revisions.slice(0, MOST_REVISIONS)) {
    const then = await catalog.readRevision(siteId, revision)
    const contentIds = then && contentsOfVersion(then, record, ways)
    if (contentIds) return contentIds
  }
  if (ways.length === 0) return undefined
  return readContentsThen({ siteId, slotId, policyVersion, at, ways: ways.map(way => way ?? null) })

  async function armsOf(
    before: number,
    isMeant: (experiment: Experiment, arm: ExperimentArm) => boolean,
  ): Promise<ExperimentArm[]> {
    const sets = [(await experimentStore.read(siteId)).experiments]
    const revisions = (await experimentStore.history(siteId)).filter(({ at }) => at.getTime() <= before)
    for (const { revision } of revisions.slice(0, MOST_REVISIONS))
      sets.push((await experimentStore.readRevision(siteId, revision))?.experiments ?? [])
    return sets.flatMap((experiments: readonly Experiment[]) =>
      experiments.flatMap(each => each.arms.filter(arm => isMeant(each, arm))),
    )
  }
}
