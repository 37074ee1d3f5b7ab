import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ClickHouseException, formatException, httpStatusOf } from '../../errors.js'
import type { Head } from './head.js'
import { compressedAtOnce, encodingFor } from './reply.js'

/** Answers with an error, to a request of which nothing of a result has gone out. */
export function fail(
  request: IncomingMessage,
  response: ServerResponse,
  head: Head,
  exception: ClickHouseException,
  version: string,
): void {
  const text = formatException(exception, version)
  const encoding = wantsCompression(request) ? encodingFor(request.headers['accept-encoding']?.toString()) : undefined
  const body = encoding ? compressedAtOnce(encoding, text) : Buffer.from(text)
  // Whatever is left of a rejected body is thrown away, so that the client gets to reading the answer.
  request.unpipe()
  request.resume()
  if (!request.complete) response.setHeader('Connection', 'close')
  if (encoding) response.setHeader('Content-Encoding', encoding)
  else response.removeHeader('Content-Encoding')
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8')
  response.setHeader('Content-Length', body.length)
  response.setHeader('X-ClickHouse-Exception-Code', String(exception.code))
  for (const [name, value] of Object.entries(exception.answer.headers ?? {})) response.setHeader(name, value)
  // When progress has begun the head, its status was 200: the code above tells of the error, as in ClickHouse.
  head.end(httpStatusOf(exception))
  response.end(body)
}

function wantsCompression({ url }: IncomingMessage): boolean {
  return /[?&]enable_http_compression=(?:1|true)(?:&|$)/i.test(url ?? '')
}
