import type { StoreBatch } from '../intake/store-batch.js'
import type { CollectorMetrics } from '../metrics.js'
import type { Decide } from '../slots/decide.js'
import { slotsRoute } from '../slots/slots-route.js'
import { messageRoutes } from './message-routes.js'
import type { Handler, Receive } from './receive.js'

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
