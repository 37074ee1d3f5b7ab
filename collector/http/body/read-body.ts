import { isAscii, isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import { createTurns } from '@slotstream/runtime'
import type { OpenBody } from '../../safety/open-bodies.js'
import { Failure } from '../failure.js'
import { utf8Of } from './json-text.js'
import { wellFormed } from './well-formed.js'

/** `text/plain` is what beacons send, to go without a preflight; the last is what `curl -d` says of anything. */
const MEDIA_TYPES = ['', 'application/json', 'text/plain', 'application/x-www-form-urlencoded']

const DECOMPRESS = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
])

/**
 * How many times its size a body may become by decompression, from a size on, in bytes. Batches of real pages become 5
 * to 20 times theirs, the most repetitive ones of one visitor about 60 times.
 */
const MAX_EXPANSION = 100
const EXPANSION_FLOOR_BYTES = 64 * 1024

/** Bodies that are decompressed at a time: as many as libuv has threads. The others wait packed. */
const unpackInTurn = createTurns(4)

/** Counts a body while it is read, see `OpenBodies`. */
type Counted = Pick<OpenBody, 'arrived' | 'complete'>
type Open = (onLost: (failure: Failure) => void) => Counted

/** JSON as its client wrote it, as text and as the bytes of it. */
export interface RawBody {
  text: string
  utf8: Uint8Array
}

export interface Body {
  value: unknown
  /** Text of the value. */
  written: RawBody
  /** Size after decompression. */
  bytes: number
}

/**
 * Reads a request's body as JSON, whatever media type a client that means JSON may give it.
 *
 * @param maxBytes bound on what is read and on what decompression yields
 * @param open begins to count the body; it gets what to call when the body must give way to others
 * @throws Failure `too_large`, `unsupported_media_type`, `malformed`, or what the count of bodies throws
 */
export async function readBody(request: IncomingMessage, maxBytes: number, open?: Open): Promise<Body> {
  const contentType = request.headers['content-type'] ?? ''
  if (contentType !== 'application/json') checkMediaType(contentType)
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  const decompress = DECOMPRESS.get(encoding)
  if (!decompress && encoding !== 'identity')
    throw new Failure('unsupported_media_type', `the content encoding is ${encoding}: send gzip, deflate or none`)

  const counted = await collect(request, maxBytes, open)
  let { bytes } = counted
  const unpack = decompress ?? (isGzip(bytes) ? DECOMPRESS.get('gzip') : undefined)
  if (unpack) {
    const packed = bytes
    const maxOutputLength = Math.min(maxBytes, Math.max(EXPANSION_FLOOR_BYTES, packed.length * MAX_EXPANSION))
    bytes = await unpackInTurn(() => unpack(packed, { maxOutputLength })).catch(error => {
      if (error.code !== 'ERR_BUFFER_TOO_LARGE')
        throw new Failure('malformed', `the body is not valid ${decompress ? encoding : 'gzip'}`)
      throw maxOutputLength < maxBytes ? tooExpansive() : tooLarge(maxBytes)
    })
  }
  counted.body?.complete(bytes.length)
  return bodyOf(bytes)
}

/**
 * Reads bytes as JSON.
 *
 * @throws Failure `malformed`
 */
export function bodyOf(bytes: Buffer): Body {
  const plain = hasMark(bytes) ? bytes.subarray(MARK_BYTES) : bytes
  const read = textOf(plain)
  const text = wellFormed(read)
  const utf8 = text === read ? plain : utf8Of(text)
  return { value: parse(text), written: { text, utf8 }, bytes: bytes.length }
}

function checkMediaType(contentType: string): void {
  const mediaType = contentType.split(';')[0]!.trim().toLowerCase()
  if (!MEDIA_TYPES.includes(mediaType))
    throw new Failure(
      'unsupported_media_type',
      `the content type is ${mediaType}: send application/json, or text/plain that holds JSON`,
    )
}

/** ASCII, which most bodies are, is read several times as fast as what it is said. */
function textOf(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (!isUtf8(bytes)) throw new Failure('malformed', 'the body is not valid UTF-8')
  return bytes.toString('utf8')
}

/** Pages can't say that a body is compressed without a preflight. No JSON text begins with these bytes. */
const isGzip = (bytes: Buffer) => bytes[0] === 0x1f && bytes[1] === 0x8b

/** Length of the byte order mark of UTF-8, which .NET and Windows put before a text, and JSON.parse refuses. */
const MARK_BYTES = 3
const hasMark = (bytes: Buffer) => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf

interface Collected {
  bytes: Buffer
  body: Counted | undefined
}

function collect(request: IncomingMessage, maxBytes: number, open: Open | undefined): Promise<Collected> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const body = open?.(end)
    // The first event settles it, and they end with the request: to take them off would cost as much as to put them on.
    request.on('data', read)
    request.on('end', () => resolve({ bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length), body }))
    request.on('close', () => {
      if (!request.readableEnded) reject(new Failure('malformed', 'the connection ended before the body did'))
    })

    function read(chunk: Buffer) {
      length += chunk.length
      chunks.push(chunk)
      if (length > maxBytes) return end(tooLarge(maxBytes))
      body?.arrived(chunk.length)
    }
    function end(failure: Failure) {
      request.off('data', read)
      chunks.length = 0
      reject(failure)
    }
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Failure('malformed', `the body is not valid JSON: ${(error as Error).message}`)
  }
}

function tooLarge(maxBytes: number): Failure {
  return new Failure('too_large', `the body is larger than ${maxBytes / 1024} KB: send several smaller ones`)
}

function tooExpansive(): Failure {
  return new Failure('too_large', `the body becomes more than ${MAX_EXPANSION} times its size when it is decompressed`)
}
