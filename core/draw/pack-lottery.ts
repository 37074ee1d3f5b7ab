import type { PackedLottery } from '@slotstream/protocol'
import type { Lottery } from './lottery.js'

/** Letters for up to 64 contenders of samples. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/**
 * Packs a lottery for a record. Nothing of it is rounded.
 *
 * @throws RangeError where samples have more than 64 contenders
 */
export function packLottery(lottery: Lottery): PackedLottery {
  const { exploration } = lottery
  switch (lottery.rule) {
    case 'ranked':
      return { rule: 'ranked', exploration, ranks: [...lottery.ranks] }
    case 'shares':
      return { rule: 'shares', exploration, shares: packShares(lottery.shares) }
    case 'gaps':
      return { rule: 'gaps', exploration, scores: [...lottery.scores], gamma: lottery.gamma }
    case 'samples': {
      const contenders = [...new Set(lottery.tops.flat())].sort((a, b) => a - b)
      if (contenders.length > LETTERS.length)
        throw new RangeError(`samples have ${contenders.length} contenders, ${LETTERS.length} can be recorded`)
      const letters = new Map(contenders.map((place, index) => [place, LETTERS[index]!]))
      const tops = lottery.tops.map(top => top.map(place => letters.get(place)).join('')).join('')
      return { rule: 'samples', exploration, contenders, length: lottery.tops[0]?.length ?? 0, tops }
    }
  }
}

/**
 * Unpacks what `packLottery` packed.
 *
 * @param candidates how many there are
 */
export function unpackLottery(packed: PackedLottery, candidates: number): Lottery {
  const { exploration } = packed
  switch (packed.rule) {
    case 'ranked':
      return { rule: 'ranked', exploration, ranks: packed.ranks }
    case 'shares': {
      const shares = new Array<number>(candidates).fill(0)
      let place = 0
      for (let at = 0; at < packed.shares.length; at += 2) {
        place += packed.shares[at]!
        shares[place] = packed.shares[at + 1]!
      }
      return { rule: 'shares', exploration, shares }
    }
    case 'gaps':
      return { rule: 'gaps', exploration, scores: packed.scores, gamma: packed.gamma }
    case 'samples': {
      const { contenders, length, tops } = packed
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

function packShares(shares: readonly number[]): number[] {
  const packed: number[] = []
  let before = 0
  for (const [place, share] of shares.entries()) {
    if (share === 0) continue
    packed.push(place - before, share)
    before = place
  }
  return packed
}
