import type { Buckets, Nats } from '@slotstream/runtime'
import { createExperimentStore } from './experiment-store.js'
import { createReadPower } from './read-power.js'
import { createReadResults } from './read-results.js'

/** Creates what the routes of experiments share. */
export function experimentParts(nats: Nats, buckets: Pick<Buckets, 'definitions'>) {
  return {
    experimentStore: createExperimentStore(buckets.definitions),
    readResults: createReadResults(nats),
    readPower: createReadPower(nats),
  }
}
