import type { IncomingMessage } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { ClickHouseException } from '../errors.js'
import type { IncomingBody } from './clients/incoming-bodies.js'

/** Form fields of a multipart body. */
const MAX_FORM_FIELDS = 2_000

const DECODERS = new Map<string, () => Transform>([
  ['gzip', () => createGunzip()],
  ['br', () => createBrotliDecompress()],
  ['deflate', () => createInflate()],
])

/**
 * Reads a request's body, decompressed.
 *
 * @param limit bytes that it may have
 * @param incoming is told what arrives, and may give up on the rest
 * @throws ClickHouseException NOT_IMPLEMENTED (48), TOO_MANY_BYTES (307), INCORRECT_DATA (117), or what `incoming` was
 *   lost by
 */
export async function readBody(request: IncomingMessage, limit: number, incoming: IncomingBody): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  const decoder = DECODERS.get(encoding)?.()
  if (!decoder && encoding !== 'identity' && encoding !== '') {
    throw new ClickHouseException(
      48,
      'NOT_IMPLEMENTED',
      `Content-Encoding ${JSON.stringify(encoding.slice(0, 64))} is not supported: use gzip, br or deflate`,
    )
  }
  let source: Readable = request
  if (decoder) {
    request.once('error', error => decoder.destroy(error))
    source = request.pipe(decoder)
  }
  try {
    // One race for all of it: one for each chunk would keep the chunks for as long as the request is worked on.
    const body = await Promise.race([collect(source, limit, incoming), incoming.lost])
    incoming.complete()
    return body
  } catch (error) {
    if (error instanceof ClickHouseException || !decoder) throw error
    throw new ClickHouseException(117, 'INCORRECT_DATA', `Request body is not valid ${encoding}`, { cause: error })
  }
}

async function collect(source: Readable, limit: number, incoming: IncomingBody): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  // A refused body must not take the connection with it before the answer went out.
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    incoming.arrived(chunk.length)
    if (length > limit) {
      throw new ClickHouseException(
        307,
        'TOO_MANY_BYTES',
        `Request body is larger than ${limit} bytes: send the rows in smaller inserts`,
      )
    }
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)
}

/** Adds a form's fields to the URL's parameters: `@clickhouse/client` sends long ones so. */
export async function withFormFields(
  search: URLSearchParams,
  body: Buffer,
  contentType: string,
): Promise<URLSearchParams> {
  checkFields(body)
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
  const all = new URLSearchParams(search)
  for (const [name, value] of form) {
    if (typeof value !== 'string') {
      throw new ClickHouseException(48, 'NOT_IMPLEMENTED', 'External tables are not supported by the embedded server')
    }
    all.set(name, value)
  }
  return all
}

/** Before anything is made of them: each field has this header. */
function checkFields(body: Buffer): void {
  let fields = 0
  const header = 'form-data'
  for (let at = body.indexOf(header); at >= 0; at = body.indexOf(header, at + header.length)) fields++
  if (fields > MAX_FORM_FIELDS)
    throw new ClickHouseException(223, 'QUERY_IS_TOO_LARGE', `The form has more than ${MAX_FORM_FIELDS} fields`)
}
