import { recordedVersion } from '@slotstream/core'
import type { DecisionRecord, Experiment, ExperimentArm } from '@slotstream/protocol'
import type { CatalogStore, RevisedCatalog } from '../catalog/store/catalog-store.js'
import type { ExperimentStore } from '../experiments/experiment-store.js'

/** Earlier revisions of the catalog, and of the experiments, that are looked at. */
const MOST_REVISIONS = 3

/** Time that it takes until decisions are made by a revision, and differences of clocks, in milliseconds. */
const TAKES_EFFECT_MS = 10_000

export interface VersionDeps {
  catalog: Pick<CatalogStore, 'read' | 'readRevision' | 'history'>
  experimentStore: Pick<ExperimentStore, 'read' | 'readRevision' | 'history'>
}

/**
 * Finds the ids of the contents that a slot had when a decision was made, in their order: in the catalog as it is, else in the
 * revisions that were new then. The version in the record tells the right one. Undefined: it is not kept any more.
 */
export async function contentsOfVersion(
  { catalog, experimentStore }: VersionDeps,
  siteId: string,
  record: Pick<DecisionRecord, 'slotId' | 'policyVersion' | 'timestamp' | 'experiment' | 'arm'>,
): Promise<string[] | undefined> {
  const { slotId, policyVersion, experiment, arm } = record
  const latest = Date.parse(record.timestamp) + TAKES_EFFECT_MS
  // Outside of experiments a slot chooses as an arm does where an experiment ended.
  const ways: (ExperimentArm | undefined)[] =
    experiment === undefined
      ? [undefined, ...(await armsOf(latest, ({ slot, stopped }) => slot === slotId && stopped !== undefined))]
      : await armsOf(latest, ({ id }, { id: armId }) => id === experiment && armId === arm)
  const now = found(await catalog.read(siteId))
  if (now) return now
  const revisions = (await catalog.history(siteId)).filter(({ at }) => Date.parse(at) <= latest)
  for (const { revision } of revisions.slice(0, MOST_REVISIONS)) {
    const then = await catalog.readRevision(siteId, revision)
    const contentIds = then && found(then)
    if (contentIds) return contentIds
  }
  return undefined

  function found({ slots, content }: RevisedCatalog): string[] | undefined {
    const slot = slots.find(({ id }) => id === slotId)
    if (!slot) return undefined
    const contents = new Map(content.map(each => [each.id, each]))
    for (const way of ways) {
      const version = recordedVersion(slot, contents, way)
      if (version.policyVersion === policyVersion) return version.contentIds
    }
    return undefined
  }

  async function armsOf(
    before: number,
    isMeant: (experiment: Experiment, arm: ExperimentArm) => boolean,
  ): Promise<ExperimentArm[]> {
    const sets = [(await experimentStore.read(siteId)).experiments]
    const revisions = (await experimentStore.history(siteId)).filter(({ at }) => at.getTime() <= before)
    for (const { revision } of revisions.slice(0, MOST_REVISIONS))
      sets.push((await experimentStore.readRevision(siteId, revision))?.experiments ?? [])
    return sets.flatMap((experiments: readonly Experiment[]) =>
      experiments.flatMap(each => each.arms.filter(one => isMeant(each, one))),
    )
  }
}
