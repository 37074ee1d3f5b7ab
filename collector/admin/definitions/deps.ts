import { BUILT_IN, definitionFaults } from '@slotstream/core'
import type { Buckets } from '@slotstream/runtime'
import { createDefinitionStore } from './definition-store.js'
import { createReadFilledTo } from './filled-to.js'

/** Creates what the routes of definitions share. */
export function definitionDeps(buckets: Pick<Buckets, 'definitions' | 'meta'>, partitions: number) {
  return {
    definitionStore: createDefinitionStore(buckets.definitions),
    checkDefinitions: definitionFaults,
    builtIn: BUILT_IN,
    readFilledTo: createReadFilledTo(buckets.meta, partitions),
  }
}
