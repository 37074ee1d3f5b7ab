import { type ItemModelsParts, keepItemModels } from '../items/keep-item-models.js'
import { type LakeParts, startLake } from '../lake/start-lake.js'
import { keepWatching, type WatchParts } from '../results/watch/keep-watching.js'
import { startNightly } from './nightly.js'
import { createParityJob, type ParityJobParts } from './parity-job.js'
import { createRedrawJob, type RedrawJobParts } from './redraw-job.js'

export interface BatchParts
  extends LakeParts,
    Omit<ParityJobParts, keyof LakeParts>,
    Omit<RedrawJobParts, keyof LakeParts | keyof ParityJobParts>,
    Pick<ItemModelsParts, 'itemModels'>,
    Pick<WatchParts, 'experiments'> {
  /** Folder of the lake, and the time between two files, in milliseconds. Without a folder there is no lake. */
  lake: LakeParts['lake']
}

/**
 * Starts the batch role: the lake, if there is one, the matrices of items, the looks at experiments, and the nightly
 * jobs. ClickHouse is not waited for.
 */
export async function startBatch(parts: BatchParts): Promise<{ stop(): Promise<void> }> {
  const { lake, parity, redraw, itemModels, experiments } = parts
  const keeping = lake.dir ? await startLake(parts) : undefined
  const jobs = [
    ...(parity.sample > 0 ? [createParityJob(parts)] : []),
    ...(redraw.sample > 0 ? [createRedrawJob(parts)] : []),
  ]
  const nightly = jobs.length > 0 ? await startNightly({ ...parts, jobs }) : undefined
  const fitting = itemModels.everyMs > 0 ? await keepItemModels(parts) : undefined
  const watching = experiments.everyMs > 0 ? await keepWatching(parts) : undefined
  return {
    async stop() {
      await Promise.all([keeping?.stop(), nightly?.stop(), fitting?.stop(), watching?.stop()])
    },
  }
}
