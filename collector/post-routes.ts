import type { Decide } from './decide.js'
import { messageRoutes } from './message-routes.js'
import type { CollectorMetrics } from './metrics.js'
import type { Handler, Receive } from './receive.js'
import { slotsRoute } from './slots-route.js'
import type { StoreBatch } from './store-batch.js'

export interface PostParts {
  receive: Receive
  store: StoreBatch
  decide: Decide
  metrics: CollectorMetrics
}

/** All routes of a write key that take a body, by path. */
export function postRoutes({ receive, store, decide, metrics }: PostParts): [path: string, handler: Handler][] {
  return [...messageRoutes(receive, store), ['/v1/slots', slotsRoute(receive, store, decide, metrics)]]
}
