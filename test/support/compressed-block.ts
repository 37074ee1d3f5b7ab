import { cityHash128 } from '#clickhouse/http/native/city-hash.js'

/** `SELECT length('abc…')` of twenty `abc`, as the command zstd 1.5 compresses it. */
export const ZSTD_QUERY = Buffer.from(
  '28b52ffd0458d50000a053454c454354206c656e677468282761626327290100ece9c240a9d22a',
  'hex',
)

/** Length of the query's text. */
export const ZSTD_QUERY_BYTES = 77

/** Makes a block of ClickHouse's compression whose checksum is right, whatever else is wrong. */
export function compressedBlock(method: number, data: Buffer, size: number, length = data.length + 9): Buffer {
  const head = Buffer.alloc(25)
  head[16] = method
  head.writeUInt32LE(length, 17)
  head.writeUInt32LE(size, 21)
  const whole = Buffer.concat([head, data])
  cityHash128(whole.subarray(16), whole)
  return whole
}
