import type { PackedFeatures } from '@slotstream/protocol'
import type { SparseVector } from '../sums/linear-sums.js'

/** Packs a vector with ascending indices into one list: `index difference, value, …`. */
export function packFeatures({ indices, values }: SparseVector): PackedFeatures {
  const packed: number[] = []
  let before = 0
  for (let at = 0; at < indices.length; at++) {
    packed.push(indices[at]! - before, values[at]!)
    before = indices[at]!
  }
  return packed
}

/** Unpacks what `packFeatures` packed. */
export function unpackFeatures(packed: PackedFeatures): SparseVector {
  const indices: number[] = []
  const values: number[] = []
  let index = 0
  for (let at = 0; at < packed.length; at += 2) {
    index += packed[at]!
    indices.push(index)
    values.push(packed[at + 1]!)
  }
  return { indices, values }
}
