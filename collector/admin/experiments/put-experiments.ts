import { isDeepStrictEqual } from 'node:util'
import { takerOf } from '@slotstream/core'
import { checkExperiments, type Experiment, type ExperimentSet, isObject, shownFaults } from '@slotstream/protocol'
import { pause } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'
import type { CatalogStore, RevisedCatalog } from '../catalog/store/catalog-store.js'
import type { ExperimentStore } from './experiment-store.js'
import { withTournaments } from './with-tournaments.js'

/** How often a change is tried again because another one was quicker, and the longest pause before, in milliseconds. */
const TRIES = 20
const PAUSE_MS = 50

/** Where experiments, and the slots that they are about, are stored. */
export interface ExperimentDeps {
  experimentStore: ExperimentStore
  catalog: Pick<CatalogStore, 'read' | 'confirm'>
}

/**
 * Stores the experiments of a site. A set that equals the stored one changes nothing and keeps its revision. Where a
 * slot or content that it names is removed meanwhile, either the removal sees what was stored, or it is taken back.
 *
 * @param options `expected`: the revision that it takes the place of. Default: whichever there is. `keepsEnds`: an
 * experiment that was stopped, and a candidate that is tried, stay so where their fields are left out, so that a file
 * that is put once more does not begin them anew. Default: yes
 * @throws Failure `malformed` with a line for each fault; `conflict` when the revision is another one
 */
export async function putExperiments(
  { experimentStore: store, catalog }: ExperimentDeps,
  siteId: string,
  raw: unknown,
  { expected, keepsEnds = true }: { expected?: number | undefined; keepsEnds?: boolean } = {},
): Promise<Pick<ExperimentSet, 'revision' | 'experiments'>> {
  const checked = checkExperiments(raw)
  if (!checked.ok) throw faulty(checked.faults)
  const running = namedNull(raw, experiment => experiment.stopped)
  const takenBack = namedNull(raw, ({ tournament }) => isObject(tournament) && tournament.arm)
  const contents = checked.value.length > 0 ? await catalog.read(siteId) : undefined
  for (let left = TRIES; left > 0; left--) {
    const before = await store.read(siteId)
    if (expected !== undefined && expected !== before.revision) throw changedMeanwhile(before.revision)
    const ended = keepsEnds ? withEnds(checked.value, before.experiments, running) : checked.value
    const faults = contents ? catalogFaults(ended, before.experiments, contents) : []
    if (faults.length > 0) throw faulty(shownFaults(faults))
    const experiments = withTournaments(ended, before.experiments, takenBack, keepsEnds)
    if (before.revision > 0 && isDeepStrictEqual(before.experiments, experiments)) return before
    const revision = await store.write(siteId, experiments, before.revision)
    if (revision !== undefined) {
      const missing = contents ? await missingMeanwhile(catalog, siteId, contents, ended, before) : []
      if (missing.length === 0) return { revision, experiments: [...experiments] }
      await takeBack({ experimentStore: store, catalog }, siteId, { revision, experiments: [...ended] }, before)
      throw new Failure('conflict', `nothing was stored: ${missing[0]}: it was removed meanwhile`, missing)
    }
    await pause(Math.random() * PAUSE_MS)
  }
  throw changedMeanwhile()
}

/** Resolves to what the catalog lacks by now of what was in it when it was read, a line each. */
async function missingMeanwhile(
  catalog: ExperimentDeps['catalog'],
  siteId: string,
  contents: RevisedCatalog,
  experiments: readonly Experiment[],
  { experiments: before }: ExperimentSet,
): Promise<string[]> {
  for (let { revision } = contents; !(await catalog.confirm(siteId, revision)); ) {
    const now = await catalog.read(siteId)
    const faults = catalogFaults(experiments, before, now)
    if (faults.length > 0) return shownFaults(faults)
    revision = now.revision
  }
  return []
}

/**
 * Takes back what was stored though the catalog lacks what it names. Of a set that was put in its place meanwhile, for
 * which it ran already, the experiments that lack something leave, and the rest stays.
 *
 * @throws Failure `conflict` when others are always quicker: then they are still stored
 */
async function takeBack(
  { experimentStore: store, catalog }: ExperimentDeps,
  siteId: string,
  stored: Pick<ExperimentSet, 'revision' | 'experiments'>,
  { experiments: before }: ExperimentSet,
): Promise<void> {
  const meanings = new Map(stored.experiments.map(each => [each.id, meaningOf(each)]))
  if ((await store.write(siteId, before, stored.revision)) !== undefined) return
  for (let left = TRIES; left > 0; left--) {
    const [now, contents] = [await store.read(siteId), await catalog.read(siteId)]
    const rest = now.experiments.filter(
      each =>
        !isDeepStrictEqual(meanings.get(each.id), meaningOf(each)) ||
        catalogFaults([each], before, contents).length === 0,
    )
    if (rest.length === now.experiments.length) return
    if ((await store.write(siteId, rest, now.revision)) !== undefined) return
    await pause(Math.random() * PAUSE_MS)
  }
  throw changedMeanwhile()
}

/** Returns the ids of experiments of which a field is null: it is to go. */
function namedNull(raw: unknown, fieldOf: (experiment: Record<string, unknown>) => unknown): ReadonlySet<unknown> {
  const entries: readonly unknown[] = Array.isArray(raw) ? raw : []
  return new Set(entries.flatMap(entry => (isObject(entry) && fieldOf(entry) === null ? [entry.id] : [])))
}

function withEnds(
  experiments: readonly Experiment[],
  before: readonly Experiment[],
  running: ReadonlySet<unknown>,
): readonly Experiment[] {
  const ends = new Map(before.map(({ id, stopped }) => [id, stopped]))
  return experiments.map(experiment => {
    const stopped = experiment.stopped ?? (running.has(experiment.id) ? undefined : ends.get(experiment.id))
    const isOfArms = stopped?.arm === undefined || experiment.arms.some(({ id }) => id === stopped.arm)
    return stopped && isOfArms ? { ...experiment, stopped } : experiment
  })
}

/**
 * Returns one line for each slot that is missing, and each content that the slot does not have. What has ended, and
 * what runs already, may name what is gone since.
 */
function catalogFaults(
  experiments: readonly Experiment[],
  before: readonly Experiment[],
  { slots, content }: RevisedCatalog,
): string[] {
  const contents = new Map(content.map(each => [each.id, each]))
  const running = new Map(before.flatMap(each => (each.stopped ? [] : [[each.id, meaningOf(each)] as const])))
  return experiments.flatMap((experiment, index) => {
    const { id, slot: slotId, arms, stopped } = experiment
    if (stopped || isDeepStrictEqual(running.get(id), meaningOf(experiment))) return []
    const path = `experiments[${index}]`
    const slot = slots.find(({ id }) => id === slotId)
    if (!slot)
      return [`${path}.slot: there is no slot ${slotId}: make it with PUT …/slots/${encodeURIComponent(slotId)}`]
    const takes = takerOf(slot)
    return arms.flatMap(({ contentIds = [] }, place) =>
      contentIds
        .filter(id => !contents.has(id) || !takes(contents.get(id)!))
        .map(id => `${path}.arms[${place}].contentIds: slot ${slotId} has no content ${id}`),
    )
  })
}

/** Returns what an experiment names of the catalog. */
function meaningOf({ slot, arms }: Experiment) {
  return { slot, contents: arms.map(({ id, contentIds = [] }) => ({ id, contentIds })) }
}

function faulty(faults: string[]): Failure {
  return new Failure('malformed', `nothing was stored: ${faults[0]}`, faults)
}

function changedMeanwhile(revision?: number): Failure {
  const now = revision === undefined ? '' : `: their revision is ${revision}`
  return new Failure('conflict', `the experiments were changed meanwhile${now}. Read them again and repeat your change`)
}
