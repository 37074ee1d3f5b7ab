import { Transform } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { ClickHouseException } from '../../errors.js'
import { cityHash128 } from './city-hash.js'
import { compressBlock, compressedBound, decompressBlock } from './lz4.js'
import { decompressZstd, ZSTD_NODE } from './zstd.js'

/** Checksum, method, compressed size with these 9 bytes, size. */
const CHECKSUM_BYTES = 16
const HEADER_BYTES = 9
const HEAD_BYTES = CHECKSUM_BYTES + HEADER_BYTES
const LZ4 = 0x82
const NONE = 0x02
const ZSTD = 0x90
/** Bytes of a result that one block holds: compressing it takes about a millisecond. */
const BLOCK_BYTES = 64 * 1024
/** Largest block of a body, decompressed: the event loop stands still while one is read. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024

/**
 * Creates a stream that turns bytes into ClickHouse's compressed blocks, of LZ4: the answer to `compress=1`.
 *
 * Source: https://clickhouse.com/docs/native-protocol/compression
 */
export function createBlockEncoder(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += BLOCK_BYTES) this.push(blockOf(chunk.subarray(at, at + BLOCK_BYTES)))
      done()
    },
  })
}

/** Creates one block of LZ4. */
export function blockOf(bytes: Buffer): Buffer {
  const block = Buffer.allocUnsafe(HEAD_BYTES + compressedBound(bytes.length))
  const end = compressBlock(bytes, block, HEAD_BYTES)
  block[CHECKSUM_BYTES] = LZ4
  block.writeUInt32LE(end - CHECKSUM_BYTES, CHECKSUM_BYTES + 1)
  block.writeUInt32LE(bytes.length, CHECKSUM_BYTES + 5)
  cityHash128(block.subarray(CHECKSUM_BYTES, end), block)
  return block.subarray(0, end)
}

/**
 * Reads a body of compressed blocks (`decompress=1`). A block's size is checked before there is room made for it.
 *
 * @param take is called with the size of each block before it is decompressed; what it throws ends the reading
 * @throws ClickHouseException CANNOT_DECOMPRESS (271), CHECKSUM_DOESNT_MATCH (40), or NOT_IMPLEMENTED (48) for methods
 *   other than LZ4, none and, where this Node has it, ZSTD
 */
export async function readBlocks(body: Buffer, take: (bytes: number) => void): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    if (at > 0) await setImmediate()
    if (body.length - at < HEAD_BYTES) throw broken('the last block is shorter than the head of one')
    const method = body[at + CHECKSUM_BYTES]!
    const length = body.readUInt32LE(at + CHECKSUM_BYTES + 1)
    const size = body.readUInt32LE(at + CHECKSUM_BYTES + 5)
    const end = at + CHECKSUM_BYTES + length
    if (length < HEADER_BYTES || end > body.length) throw broken('a block ends behind the body')
    if (size > MAX_BLOCK_BYTES) throw broken(`a block of ${size} bytes: ${MAX_BLOCK_BYTES} are the most`)
    // Its checksum takes as long as it is, whatever it becomes.
    if (length > HEADER_BYTES + compressedBound(size)) throw broken('a block is longer than its bytes can be')
    take(size)
    checkSum(body.subarray(at, at + CHECKSUM_BYTES), body.subarray(at + CHECKSUM_BYTES, end))
    parts.push(await decompressed(method, body.subarray(at + HEAD_BYTES, end), size))
    at = end
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

async function decompressed(method: number, data: Buffer, size: number): Promise<Buffer> {
  if (method === NONE) {
    if (data.length !== size) throw broken('a block without compression has another size than it says')
    return data
  }
  if (method === ZSTD && decompressZstd) {
    const bytes = await decompressZstd(data, size)
    if (!bytes) throw broken('a block is not ZSTD of the size that it says')
    return bytes
  }
  if (method !== LZ4) {
    const reason = method === ZSTD ? `ZSTD, which needs Node ${ZSTD_NODE} or later` : `of method ${hex(method)}`
    throw new ClickHouseException(
      48,
      'NOT_IMPLEMENTED',
      `A compressed block is ${reason}, which the embedded server does not read: send LZ4, or Content-Encoding: gzip or br`,
    )
  }
  const target = Buffer.allocUnsafe(size)
  if (!decompressBlock(data, target)) throw broken('a block is not LZ4 of the size that it says')
  return target
}

const hex = (byte: number) => `0x${byte.toString(16).padStart(2, '0')}`

function checkSum(expected: Buffer, bytes: Buffer): void {
  const sum = Buffer.alloc(CHECKSUM_BYTES)
  cityHash128(bytes, sum)
  if (sum.equals(expected)) return
  throw new ClickHouseException(
    40,
    'CHECKSUM_DOESNT_MATCH',
    "A compressed block's checksum is not that of its bytes: it is CityHash128 of version 1.0.2 over header and data",
    undefined,
    { status: 400 },
  )
}

function broken(what: string): ClickHouseException {
  return new ClickHouseException(
    271,
    'CANNOT_DECOMPRESS',
    `The body is not made of ClickHouse's compressed blocks, which decompress=1 says: ${what}`,
    undefined,
    { status: 400 },
  )
}
