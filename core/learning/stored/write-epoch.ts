import type { Epoch } from '../epochs/epochs.js'
import type { ContentSums, Tally } from '../sums/content-sums.js'
import { MAX_STORED_CONTENTS, type StoredContents, type StoredEpoch, type StoredNumber } from './stored-epoch.js'

/**
 * Converts an epoch to its stored form.
 *
 * @throws RangeError with more than `MAX_STORED_CONTENTS` contents
 */
export function writeEpoch({ level, index, sums: { contents, linear, strata } }: Epoch): StoredEpoch {
  if (contents.size > MAX_STORED_CONTENTS)
    throw new RangeError(`an epoch has ${contents.size} contents: ${MAX_STORED_CONTENTS} can be stored`)
  return {
    version: 1,
    level,
    index,
    contents: flatContents(contents),
    matrix: flatNumbers(linear.matrix),
    vector: flatNumbers(linear.vector),
    outcomes: linear.outcomes,
    squares: storedWide(linear.squares),
    ...(strata.size > 0 && {
      strata: [...strata]
        .sort(([a], [b]) => a - b)
        .map(([stratum, sums]) => [
          stratum,
          flatContents(sums.contents),
          flatNumbers(sums.vector),
          storedWide(sums.squares),
        ]),
    }),
  }
}

function flatContents(contents: ReadonlyMap<string, ContentSums>): StoredContents {
  return [...contents]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { positions, segments }]) => [id, flatTallies(positions), flatTallies(segments)])
}

function flatNumbers(numbers: ReadonlyMap<number, number>): number[] {
  return flat(numbers, value => [value])
}

function flatTallies(tallies: ReadonlyMap<number, Tally>): StoredNumber[] {
  return flat<Tally, StoredNumber>(tallies, ([views, rewards, squares]) => [views, rewards, storedWide(squares)])
}

function storedWide(sum: bigint): StoredNumber {
  const number = Number(sum)
  return Number.isSafeInteger(number) ? number : String(sum)
}

function flat<T, N extends StoredNumber>(
  map: ReadonlyMap<number, T>,
  numbersOf: (value: T) => readonly N[],
): (number | N)[] {
  const list: (number | N)[] = []
  let before = 0
  for (const [key, value] of [...map].sort(([a], [b]) => a - b)) {
    list.push(key - before, ...numbersOf(value))
    before = key
  }
  return list
}
