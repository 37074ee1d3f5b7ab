import type { MessageType } from '@slotstream/protocol'
import type { StoreBatch } from '../intake/store-batch.js'
import { batchOfOne } from '../intake/take-batch.js'
import { Failure } from './failure.js'
import type { Handler, Receive } from './receive.js'
import { sendJson } from './respond.js'

/** Segment's routes for a single message: by the name of its type, and by one letter. */
const SINGLE: [MessageType, string][] = [
  ['track', 't'],
  ['page', 'p'],
  ['screen', 's'],
  ['identify', 'i'],
  ['group', 'g'],
  ['alias', 'a'],
]

/** The POST routes that take messages, by path. */
export function messageRoutes(receive: Receive, store: StoreBatch): [path: string, handler: Handler][] {
  const batch: Handler = async (request, response) => {
    const { body, written, origin } = await receive(request, response)
    sendJson(response, 200, (await store(body, { ...origin, written })).answer)
  }
  const single =
    (type: MessageType): Handler =>
    async (request, response) => {
      const { body, origin } = await receive(request, response)
      const { answer } = await store(batchOfOne(body, type), origin)
      const [rejection] = answer.rejected
      // It is among the rejected, and all there was in the request: a library must not take it for a success.
      if (rejection?.code === 'secret_key_required') throw new Failure('secret_key_required', rejection.reason)
      sendJson(response, 200, answer)
    }
  return [
    ['/v1/batch', batch],
    ['/v1/b', batch],
    ...SINGLE.flatMap(([type, letter]): [string, Handler][] => {
      const handler = single(type)
      return [
        [`/v1/${type}`, handler],
        [`/v1/${letter}`, handler],
      ]
    }),
  ]
}
