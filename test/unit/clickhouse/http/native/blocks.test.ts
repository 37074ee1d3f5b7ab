import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { blockOf, createBlockEncoder, readBlocks } from '#clickhouse/http/native/blocks.js'
import { compressBlock, compressedBound, decompressBlock } from '#clickhouse/http/native/lz4.js'
import { decompressZstd } from '#clickhouse/http/native/zstd.js'
import { compressedBlock as block, ZSTD_QUERY, ZSTD_QUERY_BYTES } from '../../../../support/compressed-block.js'

/** Made with the Python packages lz4 and clickhouse-cityhash. */
const FOREIGN =
  '4b3b6e8dd386d882737a3d781686d40182260000004d000000ff0353454c454354206c656e6774682827616263030023506162632729'

const read = (body: Buffer): Promise<Buffer> => readBlocks(body, () => {})
const rows = Buffer.from(Array.from({ length: 9_000 }, (_, i) => `${i}\thttps://shop.example/p/${i % 97}\n`).join(''))

it('reads what others write', async () => {
  expect((await read(Buffer.from(FOREIGN, 'hex'))).toString()).toBe(`SELECT length('${'abc'.repeat(20)}')`)
  expect((await read(block(0x02, Buffer.from('SELECT 1'), 8))).toString()).toBe('SELECT 1')
  expect(await read(Buffer.alloc(0))).toHaveLength(0)
})

it('reads ZSTD, or says from which Node on', async () => {
  const reading = read(block(0x90, ZSTD_QUERY, ZSTD_QUERY_BYTES))
  if (decompressZstd) expect((await reading).toString()).toBe(`SELECT length('${'abc'.repeat(20)}')`)
  else await expect(reading).rejects.toThrow('needs Node 22.15 or later')
})

it('reads what it writes, of every length', async () => {
  for (const bytes of [...Array(70).keys(), 4_000, 65_535, 65_536].map(length => rows.subarray(0, length))) {
    expect((await read(blockOf(bytes))).equals(bytes)).toBe(true)
  }
  for (const bytes of [randomBytes(65_536), Buffer.alloc(65_536), Buffer.from('ab'.repeat(30_000))])
    expect((await read(blockOf(bytes))).equals(bytes)).toBe(true)
  expect(blockOf(rows.subarray(0, 65_536)).length).toBeLessThan(65_536 / 3)
})

it('cuts a long result into blocks of 64 KB', async () => {
  const encoder = createBlockEncoder()
  encoder.end(rows)
  const body = await buffer(encoder)
  const sizes: number[] = []
  expect((await readBlocks(body, size => sizes.push(size))).equals(rows)).toBe(true)
  expect(sizes).toEqual([...Array(4).fill(65_536), rows.length - 4 * 65_536])
})

describe('refuses', () => {
  const good = blockOf(rows.subarray(0, 1_000))
  const changed = (at: number): Buffer => {
    const copy = Buffer.from(good)
    copy[at]! ^= 1
    return copy
  }
  it.each([
    ['a changed checksum', changed(3), 40],
    ['a changed byte', changed(100), 40],
    ['half a head', good.subarray(0, 20), 271],
    ['half a block', good.subarray(0, good.length - 1), 271],
    ['a block of zero bytes with a head', block(0x82, Buffer.alloc(0), 10), 271],
    ['a length that is shorter than the head', block(0x82, Buffer.from('x'), 1, 3), 271],
    ['more bytes than it says', block(0x82, Buffer.from([0x50, 1, 2, 3, 4, 5]), 4), 271],
    ['fewer bytes than it says', block(0x82, Buffer.from([0x50, 1, 2, 3, 4, 5]), 6), 271],
    ['an offset before the start', block(0x82, Buffer.from([0x14, 1, 9, 0, 0]), 9), 271],
    ['an offset of zero', block(0x82, Buffer.from([0x14, 1, 0, 0, 0]), 9), 271],
    ['a length that never ends', block(0x82, Buffer.concat([Buffer.from([0xf0]), Buffer.alloc(99, 255)]), 9), 271],
    ['what is no ZSTD', block(0x90, Buffer.from('x'), 1), decompressZstd ? 271 : 48],
    ['ZSTD that is longer than it says', block(0x90, ZSTD_QUERY, ZSTD_QUERY_BYTES - 1), decompressZstd ? 271 : 48],
    ['ZSTD that is shorter than it says', block(0x90, ZSTD_QUERY, ZSTD_QUERY_BYTES + 1), decompressZstd ? 271 : 48],
    ['a method that there is not', block(0x33, Buffer.from('x'), 1), 48],
    // Its checksum is wrong, and was not computed.
    [
      'more bytes than its size can take',
      Buffer.concat([block(0x82, Buffer.alloc(0), 10, 2_009), Buffer.alloc(2_000)]),
      271,
    ],
    ['a block of a gigabyte', block(0x82, Buffer.from([0x10, 1]), 2 ** 30), 271],
  ])('%s', async (_what, body, code) => {
    await expect(read(body)).rejects.toMatchObject({ name: 'ClickHouseException', code })
  })

  it('a block that there is no room for, before it is decompressed', async () => {
    const taken: number[] = []
    const take = (size: number): void => {
      taken.push(size)
      if (taken.length === 2) throw new Error('full')
    }
    await expect(readBlocks(Buffer.concat([good, good, good]), take)).rejects.toThrow('full')
    expect(taken).toEqual([1_000, 1_000])
  })
})

it('touches nothing outside of its buffers, whatever bytes come', () => {
  for (let n = 0; n < 3_000; n++) {
    const target = Buffer.alloc(64, 7)
    const source = n % 2 ? randomBytes(n % 50) : compressed(rows.subarray(n, n + 40))
    if (n % 2 === 0) source[n % source.length] = n & 255
    decompressBlock(source, target.subarray(8, 48))
    expect([...target.subarray(0, 8), ...target.subarray(48)].every(byte => byte === 7)).toBe(true)
  }
})

function compressed(bytes: Buffer): Buffer {
  const target = Buffer.alloc(compressedBound(bytes.length))
  return target.subarray(0, compressBlock(bytes, target, 0))
}
