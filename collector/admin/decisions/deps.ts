import type { Nats } from '@slotstream/runtime'
import { createReadContentsThen } from './read-contents-then.js'
import { createReadRecord } from './read-record.js'

/** Returns what the admin API reads of decisions, all of it from the tables. */
export function decisionDeps(nats: Nats) {
  return { readRecord: createReadRecord(nats), readContentsThen: createReadContentsThen(nats) }
}
