import type { Buckets, Nats } from '@slotstream/runtime'
import { createExperimentStore } from './experiment-store.js'
import { createReadPower } from './read-power.js'
import { createReadResults } from './read-results.js'

/** Creates the stores and readers that the routes of experiments depend on. */
export function createExperimentRouteDeps(nats: Nats, buckets: Pick<Buckets, 'definitions'>) {
  return {
    experimentStore: createExperimentStore(buckets.definitions),
    readResults: createReadResults(nats),
    readPower: createReadPower(nats),
  }
}
