import { isObject } from '@slotstream/protocol'
import type { Epoch } from '../epochs/epochs.js'
import { type ContentSums, POSITIONS, SEGMENT_BUCKETS, type Tally } from '../sums/content-sums.js'
import { LOSS_STRATA } from '../sums/loss-strata.js'
import type { Strata } from '../sums/stratum-sums.js'
import { MAX_STORED_CONTENTS, MAX_STORED_DIMENSION, type StoredNumber } from './stored-epoch.js'

/** Levels that a time grid can have. */
const MAX_LEVEL = 20
const MAX_ID_LENGTH = 1_000

/** Parses an epoch that `writeEpoch` wrote; undefined: it is none, or has numbers that are not exact. */
export function parseEpoch(raw: unknown): Epoch | undefined {
  if (!isObject(raw) || raw.version !== 1) return undefined
  const { level, index, contents: rawContents, outcomes, squares } = raw
  if (!isCount(level, MAX_LEVEL) || !isCount(index)) return undefined
  // May be below 0: a record may be removed whose arrival is no longer known.
  if (!Number.isSafeInteger(outcomes) || !isStored(squares)) return undefined
  const contents = parseContents(rawContents)
  const triangle = (MAX_STORED_DIMENSION * (MAX_STORED_DIMENSION + 1)) / 2
  const matrix = parseNumbers(raw.matrix, triangle)
  const vector = parseNumbers(raw.vector, MAX_STORED_DIMENSION)
  const strata = parseStrata(raw.strata ?? [])
  if (!contents || !matrix || !vector || !strata) return undefined
  return {
    level,
    index,
    sums: { contents, linear: { matrix, vector, outcomes: outcomes as number, squares: BigInt(squares) }, strata },
  }
}

function parseStrata(raw: unknown): Strata | undefined {
  if (!Array.isArray(raw)) return undefined
  const strata: Strata = new Map()
  for (const entry of raw) {
    if (!Array.isArray(entry) || entry.length !== 4) return undefined
    const [stratum, rawContents, rawVector, squares] = entry as unknown[]
    const contents = parseContents(rawContents)
    const vector = parseNumbers(rawVector, MAX_STORED_DIMENSION)
    if (!isCount(stratum, LOSS_STRATA.length) || stratum === 0 || strata.has(stratum)) return undefined
    if (!contents || !vector || !isStored(squares)) return undefined
    strata.set(stratum, { contents, vector, squares: BigInt(squares) })
  }
  return strata
}

function parseContents(raw: unknown): Map<string, ContentSums> | undefined {
  if (!Array.isArray(raw) || raw.length > MAX_STORED_CONTENTS) return undefined
  const contents = new Map<string, ContentSums>()
  for (const entry of raw) {
    if (!Array.isArray(entry) || entry.length !== 3) return undefined
    const [id, rawPositions, rawSegments] = entry as unknown[]
    const positions = parseTallies(rawPositions, POSITIONS)
    const segments = parseTallies(rawSegments, SEGMENT_BUCKETS)
    if (typeof id !== 'string' || id.length > MAX_ID_LENGTH || contents.has(id)) return undefined
    if (!positions || !segments || positions.size + segments.size === 0) return undefined
    contents.set(id, { positions, segments })
  }
  return contents
}

function parseTallies(raw: unknown, keys: number): Map<number, Tally> | undefined {
  return parseFlat(raw, keys, 3, ([views = 0, rewards = 0, squares = 0]) => {
    const isFit = typeof views === 'number' && typeof rewards === 'number'
    return isFit ? ([views, rewards, BigInt(squares)] as const) : undefined
  })
}

function parseNumbers(raw: unknown, keys: number): Map<number, number> | undefined {
  return parseFlat(raw, keys, 1, ([value = 0]) => (typeof value === 'number' ? value : undefined))
}

/**
 * Parses a flat list of `key difference, numbers`; undefined: keys do not ascend, an entry is no number, or all numbers
 * of a key are 0.
 */
function parseFlat<T>(
  raw: unknown,
  keys: number,
  width: number,
  read: (numbers: StoredNumber[]) => T | undefined,
): Map<number, T> | undefined {
  if (!Array.isArray(raw) || raw.length % (width + 1) !== 0 || raw.length > keys * (width + 1)) return undefined
  if (!raw.every(isStored)) return undefined
  const map = new Map<number, T>()
  let key = 0
  for (let at = 0; at < raw.length; at += width + 1) {
    const difference = raw[at]!
    const numbers = raw.slice(at + 1, at + 1 + width)
    const value = read(numbers)
    if (
      typeof difference !== 'number' ||
      value === undefined ||
      difference < 0 ||
      (difference === 0 && at > 0) ||
      numbers.every(number => number === 0)
    )
      return undefined
    key += difference
    if (key >= keys) return undefined
    map.set(key, value)
  }
  return map
}

/** Tells whether a value is a stored number: text only where a number is not exact, so that equal sums are equal. */
function isStored(value: unknown): value is StoredNumber {
  if (typeof value !== 'string') return Number.isSafeInteger(value)
  return /^-?[1-9]\d{15,29}$/.test(value) && !Number.isSafeInteger(Number(value))
}

function isCount(value: unknown, most: number = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most
}
