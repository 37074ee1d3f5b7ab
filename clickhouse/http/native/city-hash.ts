/**
 * CityHash128 of version 1.0.2, the checksum of ClickHouse's compressed blocks. Later versions of CityHash give other
 * values.
 *
 * Source: https://github.com/ClickHouse/ClickHouse/tree/master/contrib/cityhash102
 */

const K0 = 0xc3a5c85c97cb3127n
const K1 = 0xb492b66fbe98f273n
const K2 = 0x9ae16a3b2f90404fn
const K3 = 0xc949d7c7509e6557n
const MIX = 0x9ddfea08eb382d69n
/** From this length on the bytes are read in rounds. */
const LONG = 128
const ROUND = 64

type Pair = readonly [low: bigint, high: bigint]

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)
const rotate = (value: bigint, by: bigint): bigint => (by === 0n ? value : wrap((value >> by) | (value << (64n - by))))
const shiftMix = (value: bigint): bigint => value ^ (value >> 47n)

/**
 * Hashes bytes.
 *
 * @param target gets the 16 bytes of the hash at its start: first its lower half, each in little-endian order
 */
export function cityHash128(bytes: Buffer, target: Buffer): void {
  const { length } = bytes
  let hash: Pair
  if (length >= 16) hash = seeded(bytes.subarray(16), [fetch(bytes, 0) ^ K3, fetch(bytes, 8)])
  else if (length >= 8)
    hash = seeded(bytes.subarray(length), [fetch(bytes, 0) ^ wrap(BigInt(length) * K0), fetch(bytes, length - 8) ^ K1])
  else hash = seeded(bytes, [K0, K1])
  target.writeBigUInt64LE(hash[0], 0)
  target.writeBigUInt64LE(hash[1], 8)
}

function fetch(bytes: Buffer, at: number): bigint {
  return bytes.readBigUInt64LE(at)
}

function hash16(low: bigint, high: bigint): bigint {
  let a = wrap((low ^ high) * MIX)
  a ^= a >> 47n
  let b = wrap((high ^ a) * MIX)
  b ^= b >> 47n
  return wrap(b * MIX)
}

function hashUpTo16(bytes: Buffer): bigint {
  const { length } = bytes
  const size = BigInt(length)
  if (length > 8) {
    const [a, b] = [fetch(bytes, 0), fetch(bytes, length - 8)]
    return hash16(a, rotate(wrap(b + size), size)) ^ b
  }
  if (length >= 4) {
    const a = BigInt(bytes.readUInt32LE(0))
    return hash16(size + (a << 3n), BigInt(bytes.readUInt32LE(length - 4)))
  }
  if (length === 0) return K2
  const y = BigInt(bytes[0]! + (bytes[length >> 1]! << 8))
  const z = BigInt(length + (bytes[length - 1]! << 2))
  return wrap(shiftMix(wrap(y * K2) ^ wrap(z * K3)) * K2)
}

function weakHash(bytes: Buffer, at: number, first: bigint, second: bigint): Pair {
  const last = fetch(bytes, at + 24)
  let a = wrap(first + fetch(bytes, at))
  let b = rotate(wrap(second + a + last), 21n)
  const c = a
  a = wrap(a + fetch(bytes, at + 8) + fetch(bytes, at + 16))
  b = wrap(b + rotate(a, 44n))
  return [wrap(a + last), wrap(b + c)]
}

function seeded(bytes: Buffer, seed: Pair): Pair {
  return bytes.length < LONG ? hashShort(bytes, seed) : hashLong(bytes, seed)
}

function hashShort(bytes: Buffer, [low, high]: Pair): Pair {
  const { length } = bytes
  let [a, b, c, d] = [low, high, 0n, 0n]
  if (length <= 16) {
    a = wrap(shiftMix(wrap(a * K1)) * K1)
    c = wrap(b * K1 + hashUpTo16(bytes))
    d = shiftMix(wrap(a + (length >= 8 ? fetch(bytes, 0) : c)))
  } else {
    c = hash16(wrap(fetch(bytes, length - 8) + K1), a)
    d = hash16(wrap(b + BigInt(length)), wrap(c + fetch(bytes, length - 16)))
    a = wrap(a + d)
    for (let at = 0; at < length - 16; at += 16) {
      a = wrap((a ^ wrap(shiftMix(wrap(fetch(bytes, at) * K1)) * K1)) * K1)
      b ^= a
      c = wrap((c ^ wrap(shiftMix(wrap(fetch(bytes, at + 8) * K1)) * K1)) * K1)
      d ^= c
    }
  }
  a = hash16(a, c)
  b = hash16(d, b)
  return [a ^ b, hash16(b, a)]
}

function hashLong(bytes: Buffer, [low, high]: Pair): Pair {
  let [x, y, z] = [low, high, wrap(BigInt(bytes.length) * K1)]
  let v: Pair = [wrap(rotate(y ^ K1, 49n) * K1 + fetch(bytes, 0)), 0n]
  v = [v[0], wrap(rotate(v[0], 42n) * K1 + fetch(bytes, 8))]
  let w: Pair = [wrap(rotate(wrap(y + z), 35n) * K1 + x), wrap(rotate(wrap(x + fetch(bytes, 88)), 53n) * K1)]
  const end = bytes.length - (bytes.length % LONG)
  for (let at = 0; at < end; at += ROUND) {
    x = wrap(rotate(wrap(x + y + v[0] + fetch(bytes, at + 16)), 37n) * K1)
    y = wrap(rotate(wrap(y + v[1] + fetch(bytes, at + 48)), 42n) * K1)
    x ^= w[1]
    y ^= v[0]
    z = rotate(z ^ w[0], 33n)
    v = weakHash(bytes, at, wrap(v[1] * K1), wrap(x + w[0]))
    w = weakHash(bytes, at + 32, wrap(z + w[1]), y)
    const t = z
    z = x
    x = t
  }
  y = wrap(y + rotate(w[0], 37n) * K0 + z)
  x = wrap(x + rotate(wrap(v[0] + z), 49n) * K0)
  for (let at = bytes.length - 32; at > end - 32; at -= 32) {
    y = wrap(rotate(wrap(y - x), 42n) * K0 + v[1])
    w = [wrap(w[0] + fetch(bytes, at + 16)), w[1]]
    x = wrap(rotate(x, 49n) * K0 + w[0])
    w = [wrap(w[0] + v[0]), w[1]]
    v = weakHash(bytes, at, v[0], v[1])
  }
  x = hash16(x, v[0])
  y = hash16(y, w[0])
  return [wrap(hash16(wrap(x + v[1]), w[1]) + y), hash16(wrap(x + w[1]), wrap(y + v[1]))]
}
