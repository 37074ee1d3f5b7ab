import type { PackedFeatures } from '@slotstream/protocol'
import { DIMENSION } from '../features/cross.js'
import { unpackFeatures } from '../features/packed.js'
import type { SparseVector } from '../sums/linear-sums.js'

/** Largest absolute value of a feature: sums of products of two stay exact over billions of outcomes. */
const MAX_VALUE = 1_024

/**
 * Reads the packed features of a record; undefined: `packFeatures` would not write them, for example because indices do
 * not ascend or are beyond `DIMENSION`.
 */
export function readFeatures(packed: PackedFeatures): SparseVector | undefined {
  if (packed.length % 2 !== 0 || packed.length > 2 * DIMENSION) return undefined
  const { indices, values } = unpackFeatures(packed)
  const areIndices = indices.every((index, at) => Number.isInteger(index) && index > (indices[at - 1] ?? -1))
  const isWithin = (indices.at(-1) ?? 0) < DIMENSION
  const areValues = values.every(value => Number.isInteger(value) && value !== 0 && Math.abs(value) <= MAX_VALUE)
  return areIndices && isWithin && areValues ? { indices, values } : undefined
}
