import type { ConnectionState } from './connections/connections.js'
import type { Executable } from './execute.js'
import type { AdmissionRequest } from './queue/admission.js'

/** One query with everything that belongs to it. */
export interface EngineQuery extends ConnectionState, Executable {
  /** Its id in ClickHouse's sense, for KILL QUERY. */
  id: string
  /** Its account and what it may use; none for the trusted user, which has lanes of its own. */
  admission?: AdmissionRequest
}
