import type { PackedLottery } from '@slotstream/protocol'
import type { Lottery } from './lottery.js'
import {
  LETTERS,
  lettersOf,
  packNumbers,
  packRuns,
  packSigned,
  unpackNumbers,
  unpackRuns,
  unpackSigned,
} from './pack-numbers.js'

/** Units of a score under `gaps`: policies round to them, so that a record holds whole numbers. */
export const SCORE_SCALE = 1e6

/**
 * Packs a lottery for a record. Nothing of it is rounded.
 *
 * @throws RangeError where samples have more than 64 contenders
 */
export function packLottery(lottery: Lottery): PackedLottery {
  const { exploration } = lottery
  switch (lottery.rule) {
    case 'ranked':
      return { rule: 'ranked', exploration, ranks: packRuns(lottery.ranks) }
    case 'shares': {
      const shares = shareList(lottery.shares)
      return { rule: 'shares', exploration, shares: shares.every(Number.isSafeInteger) ? packNumbers(shares) : shares }
    }
    case 'gaps':
      return { rule: 'gaps', exploration, scores: packScores(lottery.scores), gamma: lottery.gamma }
    case 'samples': {
      const { contenders, tops } = packTops(lottery.tops)
      const length = lottery.tops[0]?.length ?? 0
      return { rule: 'samples', exploration, contenders: packPlaces(contenders), length, tops }
    }
  }
}

/** Returns the candidates that are in samples, in order, and all samples with a letter for each. */
function packTops(samples: readonly (readonly number[])[]): { contenders: number[]; tops: string } {
  let most = 0
  let length = 0
  for (const top of samples) {
    length += top.length
    for (const place of top) if (place > most) most = place
  }
  const letters = new Uint8Array(most + 1)
  for (const top of samples) for (const place of top) letters[place] = 1
  const contenders: number[] = []
  for (let place = 0; place <= most; place++) {
    if (letters[place] === 0) continue
    letters[place] = contenders.length
    contenders.push(place)
  }
  if (contenders.length > LETTERS.length)
    throw new RangeError(`samples have ${contenders.length} contenders, ${LETTERS.length} can be recorded`)
  const tops = new Uint8Array(length)
  let count = 0
  for (const top of samples) for (const place of top) tops[count++] = letters[place]!
  return { contenders, tops: lettersOf(tops) }
}

/**
 * Unpacks what `packLottery` packed, in this release or an earlier one.
 *
 * @param candidates how many there are
 * @throws RangeError where packed numbers are none
 */
export function unpackLottery(packed: PackedLottery, candidates: number): Lottery {
  const { exploration } = packed
  switch (packed.rule) {
    case 'ranked':
      return { rule: 'ranked', exploration, ranks: unpackedOr(packed.ranks, text => unpackRuns(text, candidates)) }
    case 'shares': {
      const shares = new Array<number>(candidates).fill(0)
      const list = unpackedOr(packed.shares, unpackNumbers)
      let place = 0
      for (let at = 0; at < list.length; at += 2) {
        place += list[at]!
        shares[place] = list[at + 1]!
      }
      return { rule: 'shares', exploration, shares }
    }
    case 'gaps':
      return { rule: 'gaps', exploration, scores: unpackedOr(packed.scores, unpackScores), gamma: packed.gamma }
    case 'samples': {
      const { length, tops } = packed
      const contenders = unpackPlaces(packed.contenders)
      const places = new Map([...LETTERS].map((letter, index) => [letter, contenders[index]!]))
      const all = Array.from(tops, letter => places.get(letter)!)
      const samples = length > 0 ? Math.floor(all.length / length) : 0
      return {
        rule: 'samples',
        exploration,
        tops: Array.from({ length: samples }, (_, n) => all.slice(n * length, (n + 1) * length)),
      }
    }
  }
}

/** Packs places as differences, each to the one before: they may rise and fall. */
export function packPlaces(places: readonly number[]): string {
  return packSigned(places.map((place, index) => (index === 0 ? place : place - places[index - 1]!)))
}

/**
 * Unpacks what `packPlaces` packed; a list of an earlier release is as it is.
 *
 * @throws RangeError where packed numbers are none
 */
export function unpackPlaces(packed: string | readonly number[]): readonly number[] {
  if (typeof packed !== 'string') return packed
  let place = 0
  return unpackSigned(packed).map(difference => (place += difference))
}

/** Scores that are not whole units, of no policy of ours, are recorded as they are. */
function packScores(scores: readonly number[]): string | number[] {
  const units = scores.map(score => Math.round(score * SCORE_SCALE))
  const isExact = units.every((unit, index) => Number.isSafeInteger(2 * unit) && unit / SCORE_SCALE === scores[index])
  return isExact ? packSigned(units) : [...scores]
}

function unpackScores(text: string): number[] {
  return unpackSigned(text).map(unit => unit / SCORE_SCALE)
}

function unpackedOr(packed: string | readonly number[], unpack: (text: string) => number[]): readonly number[] {
  return typeof packed === 'string' ? unpack(packed) : packed
}

/** Returns `place difference, share, …` of the shares above 0. */
function shareList(shares: readonly number[]): number[] {
  const list: number[] = []
  let before = 0
  for (let place = 0; place < shares.length; place++) {
    if (shares[place] === 0) continue
    list.push(place - before, shares[place]!)
    before = place
  }
  return list
}
