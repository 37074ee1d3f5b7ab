import { expect, it } from 'vitest'
import { cityHash128 } from '#clickhouse/http/native/city-hash.js'

/** Made with the Python package clickhouse-cityhash 1.0.2.6, which is ClickHouse's own C++. */
const HASHES: readonly (readonly [length: number, hash: string])[] = [
  [0, '2b9ac064fc9df03d291ee592c340b53c'],
  [1, '2264de61ab714ba07039e237496868f7'],
  [4, '869fd89d0b3ccb952e0ef842f5bb86d4'],
  [8, '6059cf97dabe78821b5b65ec053788dd'],
  [12, '8957d380e5a221e903b0f4f8f50ee8ec'],
  [15, '09858e32b0f5a43e185d3c1b05b734ed'],
  [16, '9bb785c8c136d4bbdc5c198a1956443b'],
  [17, '3bc1fc479eddbd459b18e070774a9442'],
  [31, 'de4b17082d6c19e804cb5a35d12e119c'],
  [40, '206a33d5f279c86ef17b05dce2ffa926'],
  [64, '082786fe0f2a8d8aaa1659f4df332c1b'],
  [143, '6d459d91bfd0b1cf6ca24dc5c500b952'],
  [144, '4e5d01c7f0a58fd1d0022234ea57abbc'],
  [145, 'ce99e2e10ad713b731335c3aa67498d0'],
  [200, '6179ca64afd77084f7abde456a78429b'],
  [275, '207416a3c3d56a7245541774bf4f3981'],
  [300, '55f455f4a75981c6d59797b6925d0129'],
  [1025, '07f50202d3e40b275f411c524ba9fe8a'],
  [5000, '592f295c4bc3690e6546f8fe988b4147'],
]

it('gives the hashes of version 1.0.2, for each length that is hashed in a way of its own', () => {
  const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 131 + (i >> 3) * 17 + ((i * i) % 251)) & 255))
  const hashes = HASHES.map(([length]) => {
    const hash = Buffer.alloc(16)
    cityHash128(bytes.subarray(0, length), hash)
    return [length, hash.toString('hex')]
  })
  expect(hashes).toEqual(HASHES)
})
