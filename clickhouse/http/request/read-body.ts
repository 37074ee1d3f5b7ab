import type { IncomingMessage } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { ClickHouseException } from '../../errors.js'
import type { IncomingBody } from '../clients/incoming-bodies.js'
import { readBlocks } from '../native/blocks.js'

const DECODERS = new Map<string, () => Transform>([
  ['gzip', () => createGunzip()],
  ['br', () => createBrotliDecompress()],
  ['deflate', () => createInflate()],
])

/** Bounds on a body. */
export interface BodyOptions {
  /** Bytes that it may have, decompressed. */
  limit: number
  /** Whether it is made of ClickHouse's compressed blocks. */
  blocks: boolean
}

/**
 * Reads a request's body, decompressed.
 *
 * @param incoming is told what arrives, and may give up on the rest
 * @throws ClickHouseException NOT_IMPLEMENTED (48), TOO_MANY_BYTES (307), INCORRECT_DATA (117), as `readBlocks`, or
 *   what `incoming` was lost by
 */
export async function readBody(
  request: IncomingMessage,
  { limit, blocks }: BodyOptions,
  incoming: IncomingBody,
): Promise<Buffer> {
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
    const read = blocks ? await unpack(body, limit, incoming) : body
    incoming.complete()
    return read
  } catch (error) {
    if (error instanceof ClickHouseException || !decoder) throw error
    throw new ClickHouseException(117, 'INCORRECT_DATA', `Request body is not valid ${encoding}`, { cause: error })
  }
}

async function collect(source: Readable, limit: number, incoming: IncomingBody): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  // A rejected body must not take the connection with it before the answer went out.
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    incoming.arrived(chunk.length)
    if (length > limit) throw tooLarge(limit)
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)
}

/** Unpacks a body. The limit is that of the decompressed bytes, as of a body that came without blocks. */
function unpack(body: Buffer, limit: number, incoming: IncomingBody): Promise<Buffer> {
  let length = 0
  return readBlocks(body, size => {
    length += size
    if (length > limit) throw tooLarge(limit)
    incoming.arrived(size)
  })
}

function tooLarge(limit: number): ClickHouseException {
  const what = `Request body is larger than ${limit} bytes: send the rows in smaller inserts`
  return new ClickHouseException(307, 'TOO_MANY_BYTES', what)
}
