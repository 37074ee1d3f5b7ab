import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { covisitationModel, easeModel, gramOfUsers, type ItemModel, knnModel, MAX_MODEL_ITEMS } from '@slotstream/core'
import { describe, expect, it } from 'vitest'
import { fromChunks, toChunks } from '#aggregator/items/stored/packed-items.js'

const slice = () => undefined

/** Browsers that had a few of some items each, from a row of numbers. */
function gramOf(items: number, browsers: number) {
  const ids = new Map(Array.from({ length: items }, (_, index) => [`p${index}`, index]))
  const users = Array.from({ length: browsers }, (_, browser) => [
    ...new Set([browser % items, (browser * 7) % items, (browser * browser) % items]),
  ])
  return gramOfUsers(users, ids)
}

/** Changes what chunks hold, and packs it again. */
function repacked(chunks: Uint8Array[], change: (whole: Buffer) => Buffer): Uint8Array[] {
  return [gzipSync(change(gunzipSync(Buffer.concat(chunks))))]
}

describe('a matrix of items in chunks', () => {
  const gram = gramOf(40, 300)

  it.each([
    ['covisitation', covisitationModel(gram)],
    ['knn', knnModel(gram)],
    ['ease', easeModel(gram)],
  ])('of %s is read as it was fitted, to the digits that are kept', async (_policy, model) => {
    const read = (await fromChunks(await toChunks(model), slice))!
    expect([...read.ids]).toEqual([...model.ids])
    expect(read.popularity).toEqual(model.popularity)
    expect(read.weights).toEqual(Float32Array.from(model.weights))
    expect(model.weights.some(weight => weight !== 0)).toBe(true)
  })

  it('is cut into pieces that NATS takes, for as many items as there may be', async () => {
    const size = MAX_MODEL_ITEMS
    // Digits of a hash: what cannot be packed smaller.
    const noise = createHash('shake256', { outputLength: 4 * size ** 2 })
      .update('noise')
      .digest()
    const weights = Float32Array.from(
      new Uint32Array(noise.buffer, noise.byteOffset, size ** 2),
      bits => bits / 2 ** 32,
    )
    const ids = new Map(Array.from({ length: size }, (_, index) => [`${'ü'.repeat(250)}${index}`, index]))
    const chunks = await toChunks({ ids, size, weights, popularity: new Float64Array(size) })
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(512 * 1_024)
    expect(chunks.length).toBeLessThanOrEqual(64)
    const read = (await fromChunks(chunks, slice))!
    // As bytes: to compare millions of numbers one by one takes a minute.
    expect(Buffer.from(read.weights.buffer).equals(Buffer.from(weights.buffer))).toBe(true)
  })

  it('is none where anything in it does not fit', async () => {
    const model: ItemModel = knnModel(gram)
    const chunks = await toChunks(model)
    const withFacts = (facts: (raw: { ids: unknown[]; popularity: unknown[] }) => unknown) =>
      repacked(chunks, whole => {
        const end = 4 + whole.readUInt32LE(0)
        const raw = JSON.parse(whole.toString('utf8', 4, end))
        const changed = Buffer.from(JSON.stringify(facts(raw)))
        const head = Buffer.alloc(4)
        head.writeUInt32LE(changed.length)
        return Buffer.concat([head, changed, whole.subarray(end)])
      })
    const broken: [string, Uint8Array[]][] = [
      ['nothing', []],
      ['no gzip', [Buffer.from('nonsense')]],
      ['cut off', [Buffer.concat(chunks).subarray(0, -20)]],
      ['too short', repacked(chunks, whole => whole.subarray(0, -4))],
      ['too long', repacked(chunks, whole => Buffer.concat([whole, Buffer.alloc(4)]))],
      ['a head that points beyond', repacked(chunks, () => Buffer.from([255, 255, 255, 255, 1]))],
      ['empty', repacked(chunks, () => Buffer.alloc(2))],
      [
        'a weight that is no number',
        repacked(chunks, whole => {
          whole.writeFloatLE(Number.NaN, whole.length - 4)
          return whole
        }),
      ],
      ['no object', withFacts(() => [1])],
      ['ids of numbers', withFacts(raw => ({ ...raw, ids: raw.ids.map((_, index) => index) }))],
      ['repeated ids', withFacts(raw => ({ ...raw, ids: raw.ids.map(() => 'p0') }))],
      ['counts below zero', withFacts(raw => ({ ...raw, popularity: raw.popularity.map(() => -1) }))],
      ['counts of others', withFacts(raw => ({ ...raw, popularity: [] }))],
    ]
    for (const [what, parts] of broken) expect([what, await fromChunks(parts, slice)]).toEqual([what, undefined])
    expect(
      await fromChunks(
        withFacts(raw => raw),
        slice,
      ),
    ).toBeDefined()
  })
})
