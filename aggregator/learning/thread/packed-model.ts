import type { SlotModel } from '@slotstream/core'

type Contents = SlotModel['contents']

/** A `ContentsModel` as typed arrays, which are transferred between threads without being copied. */
export interface PackedContents {
  ids: string[]
  /** Views, rewards and squares of each content, then the totals. */
  numbers: Float64Array
  /** For each entry by segment: the bucket of the segment, and the index of the content. */
  places: Int32Array
  /** Views, rewards and squares of each entry in `places`. */
  bySegment: Float64Array
  attention: number[]
}

/** A model in the form in which it is passed between threads. */
export interface PackedModel extends Omit<SlotModel, 'contents' | 'trend'> {
  contents: PackedContents
  trend: PackedContents
}

/** Packs a model, and lists the buffers that can be transferred instead of copied. */
export function packModel({ asOf, contents, trend, linear, memory, typical }: SlotModel): {
  packed: PackedModel
  transfer: ArrayBuffer[]
} {
  const packed: PackedModel = { asOf, contents: packContents(contents), trend: packContents(trend), memory }
  if (linear) packed.linear = linear
  if (typical !== undefined) packed.typical = typical
  const arrays = [packed.contents, packed.trend].flatMap(({ numbers, places, bySegment }) => [
    numbers.buffer,
    places.buffer,
    bySegment.buffer,
  ])
  const ofLinear = linear ? [linear.coefficients.buffer, linear.inverse.buffer, linear.contentBlock.buffer] : []
  return { packed, transfer: [...arrays, ...ofLinear] as ArrayBuffer[] }
}

/** Unpacks a model. `bySegment`, which few policies read, is unpacked on first use. */
export function unpackModel({ asOf, contents, trend, linear, memory, typical }: PackedModel): SlotModel {
  const model: SlotModel = { asOf, contents: unpackContents(contents), trend: unpackContents(trend), memory }
  if (linear) model.linear = linear
  if (typical !== undefined) model.typical = typical
  return model
}

function packContents({ byId, bySegment, total, attention }: Contents): PackedContents {
  const ids = [...byId.keys()]
  const numberOf = new Map(ids.map((id, number) => [id, number]))
  const entries = [...bySegment].flatMap(([bucket, contents]) =>
    [...contents].flatMap(([id, model]) => {
      const number = numberOf.get(id)
      return number === undefined ? [] : [{ bucket, number, model }]
    }),
  )
  const threeOf = ({ views, rewards, squares }: Contents['total']) => [views, rewards, squares]
  return {
    ids,
    numbers: Float64Array.from([...byId.values(), total].flatMap(threeOf)),
    places: Int32Array.from(entries.flatMap(({ bucket, number }) => [bucket, number])),
    bySegment: Float64Array.from(entries.flatMap(({ model }) => threeOf(model))),
    attention: [...attention],
  }
}

function unpackContents({ ids, numbers, places, bySegment: entries, attention }: PackedContents): Contents {
  const modelAt = (list: Float64Array, at: number) => ({
    views: list[3 * at]!,
    rewards: list[3 * at + 1]!,
    squares: list[3 * at + 2]!,
  })
  let unpacked: Contents['bySegment'] | undefined
  return {
    byId: new Map(ids.map((id, at) => [id, modelAt(numbers, at)])),
    total: modelAt(numbers, ids.length),
    attention,
    get bySegment() {
      if (unpacked) return unpacked
      unpacked = new Map()
      for (let at = 0; 2 * at < places.length; at++) {
        const contents = unpacked.get(places[2 * at]!) ?? new Map()
        contents.set(ids[places[2 * at + 1]!]!, modelAt(entries, at))
        unpacked.set(places[2 * at]!, contents)
      }
      return unpacked
    },
  }
}
