import { MESSAGE_TYPES, type MessageType } from '@slotstream/protocol'
import type { StoreBatch } from '../intake/store-batch.js'
import { batchOfOne } from '../intake/take-batch.js'
import type { PreviewTokens } from '../keys/preview-tokens.js'
import type { CollectorMetrics } from '../metrics.js'
import { describeBatch, describePixel, describeSingle, describeSlots } from '../openapi/message-paths.js'
import type { Part } from '../openapi/operations.js'
import type { Decide } from '../slots/decide.js'
import { slotsRoute } from '../slots/slots-route.js'
import { Failure } from './failure.js'
import { pixelRoute, type Refused } from './pixel.js'
import type { Handler, Receive } from './receive.js'
import { sendJson } from './respond.js'

/**
 * A route that takes messages with a write key. Those by POST are the hot ones: the server calls them before Express.
 */
export interface Route {
  /** Default `POST`. */
  method?: 'GET'
  path: string
  handle: Handler
  /** As `/openapi.json` has it. */
  described: Part
}

export interface RouteDeps {
  receive: Receive
  store: StoreBatch
  decide: Decide
  /** Absent: there are no preview links. */
  previewTokens?: Pick<PreviewTokens, 'read'>
  metrics: CollectorMetrics
  refused: Refused
}

/** Paths of a batch: Segment's, that of its older libraries, and that of RudderStack's beacons. */
const BATCH_PATHS = ['/v1/batch', '/v1/b', '/v1/import', '/beacon/v1/batch']

/** Creates all routes of a write key: Segment's, each also by one letter and as a pixel, and `/v1/slots`. */
export function writeKeyRoutes({ receive, store, decide, previewTokens, metrics, refused }: RouteDeps): Route[] {
  const batch = { handle: batchRoute(receive, store), described: describeBatch() }
  return [
    ...BATCH_PATHS.map(path => ({ path, ...batch })),
    ...MESSAGE_TYPES.flatMap(type => {
      const single = { handle: singleRoute(type, receive, store), described: describeSingle(type) }
      return [
        { path: `/v1/${type}`, ...single },
        { path: `/v1/${type[0]}`, ...single },
      ]
    }),
    ...MESSAGE_TYPES.map(type => ({
      method: 'GET' as const,
      path: `/v1/pixel/${type}`,
      handle: pixelRoute(type, receive, store, refused),
      described: describePixel(type),
    })),
    {
      path: '/v1/slots',
      handle: slotsRoute({ receive, store, decide, metrics, previewTokens }),
      described: describeSlots(),
    },
  ]
}

function batchRoute(receive: Receive, store: StoreBatch): Handler {
  return async (request, response) => {
    const { body, written, origin } = await receive(request, response)
    sendJson(response, 200, (await store(body, { ...origin, written })).answer)
  }
}

function singleRoute(type: MessageType, receive: Receive, store: StoreBatch): Handler {
  return async (request, response) => {
    const { body, origin } = await receive(request, response)
    const { answer } = await store(batchOfOne(body, type), origin)
    const [rejection] = answer.rejected
    // It is among the rejected, and all there was in the request: a library must not take it for a success.
    if (rejection?.code === 'secret_key_required') throw new Failure('secret_key_required', rejection.reason)
    sendJson(response, 200, answer)
  }
}
