import type { IncomingMessage, ServerResponse } from 'node:http'
import type { MessageType } from '@slotstream/protocol'
import type { StoreBatch } from '../intake/store-batch.js'
import { batchOfOne } from '../intake/take-batch.js'
import { type Body, bodyOf } from './body/read-body.js'
import { Failure } from './failure.js'
import type { Handler, Receive } from './receive.js'

/** One transparent pixel. */
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/

/** Takes note of a request that is rejected as a whole, and yields what it is told. */
export type Refused = (response: ServerResponse, route: string, error: unknown) => Failure

/**
 * Creates a route of Segment's pixel, `GET /v1/pixel/track?data=BASE64`: a message for mails and pages without scripts.
 * It always answers the image, because nothing else can be shown in its place; what is wrong is in the header
 * `X-Slotstream-Rejected`.
 */
export function pixelRoute(type: MessageType, receive: Receive, store: StoreBatch, refused: Refused): Handler {
  return async (request, response) => {
    if (request.method === 'GET') {
      const code = await take(request, response).catch(error => refused(response, `/v1/pixel/${type}`, error).code)
      if (code) response.setHeader('X-Slotstream-Rejected', code)
    }
    response.writeHead(200, {
      'Content-Type': 'image/gif',
      'Content-Length': GIF.length,
      'Cache-Control': 'no-store',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    })
    response.end(request.method === 'HEAD' ? undefined : GIF)
  }

  /** Resolves to the code of what is wrong, if anything is. */
  async function take(request: IncomingMessage, response: ServerResponse): Promise<string | undefined> {
    const { key, body, origin } = await receive(request, response, () => messageIn(request.url ?? ''))
    if (key === 'secret')
      throw new Failure(
        'secret_key_in_page',
        'a pixel used a secret key, which all who see its mail or page can read: use one of writeKeys there, and replace this secret key',
      )
    const { answer } = await store(batchOfOne(body, type), origin)
    return answer.rejected[0]?.code
  }
}

/** @throws Failure `malformed` */
function messageIn(url: string): Body {
  const data = new URL(url, 'http://localhost').searchParams.get('data')
  if (!data) throw new Failure('malformed', 'data is missing: send ?data= with a message as JSON in Base64')
  // A plus that is not encoded means a space in a query.
  const encoded = data.replaceAll(' ', '+')
  if (!BASE64.test(encoded)) throw new Failure('malformed', 'data is not Base64: encode a message, which is JSON')
  return bodyOf(Buffer.from(encoded, 'base64'))
}
