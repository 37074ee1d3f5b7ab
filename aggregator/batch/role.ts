import { type KeepItemModelsDeps, keepItemModels } from '../items/keep-item-models.js'
import { type LakeDeps, startLake } from '../lake/start-lake.js'
import { keepWatching, type WatchDeps } from '../results/watch/keep-watching.js'
import { startNightly } from './nightly.js'
import { createParityJob, type ParityJobDeps } from './parity-job.js'
import { createRedrawJob, type RedrawJobDeps } from './redraw-job.js'

export interface BatchDeps
  extends LakeDeps,
    Omit<ParityJobDeps, keyof LakeDeps>,
    Omit<RedrawJobDeps, keyof LakeDeps | keyof ParityJobDeps>,
    Pick<KeepItemModelsDeps, 'itemModels'>,
    Pick<WatchDeps, 'experiments'> {
  /** Folder of the lake, and the time between two files, in milliseconds. Without a folder there is no lake. */
  lake: LakeDeps['lake']
}

/**
 * Starts the batch role: the lake, if there is one, the matrices of items, the looks at experiments, and the nightly
 * jobs. ClickHouse is not waited for.
 */
export async function startBatch(deps: BatchDeps): Promise<{ stop(): Promise<void> }> {
  const { lake, parity, redraw, itemModels, experiments } = deps
  const keeping = lake.dir ? await startLake(deps) : undefined
  const jobs = [
    ...(parity.sample > 0 ? [createParityJob(deps)] : []),
    ...(redraw.sample > 0 ? [createRedrawJob(deps)] : []),
  ]
  const nightly = jobs.length > 0 ? await startNightly({ ...deps, jobs }) : undefined
  const fitting = itemModels.everyMs > 0 ? await keepItemModels(deps) : undefined
  const watching = experiments.everyMs > 0 ? await keepWatching(deps) : undefined
  return {
    async stop() {
      await Promise.all([keeping?.stop(), nightly?.stop(), fitting?.stop(), watching?.stop()])
    },
  }
}
