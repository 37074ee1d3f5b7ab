import { hash32 } from '@slotstream/protocol'

/** Numbers that are made at a time. */
const AT_ONCE = 8

/**
 * Creates a generator of random numbers in [0, 1) that depend on the seed alone, in every version of the product, so
 * that a draw can be repeated: sfc32 of PractRand (https://pracrand.sourceforge.net/RNG_engines.txt), 32 bits each.
 */
export function seededRandom(seed: string): () => number {
  const fill = seededNumbers(seed)
  const numbers = new Float64Array(AT_ONCE)
  let at = AT_ONCE
  return () => {
    if (at === AT_ONCE) {
      fill(numbers)
      at = 0
    }
    return numbers[at++]!
  }
}

/** The first numbers, which still correlate with the seed. */
const leftOut = new Float64Array(12)

/** Creates the function that writes the numbers of `seededRandom`, many at a time: a posterior takes thousands. */
export function seededNumbers(seed: string): (numbers: Float64Array) => void {
  let a = hash32(`0${seed}`)
  let b = hash32(`1${seed}`)
  let c = hash32(`2${seed}`)
  let counter = 1
  fill(leftOut)
  return fill

  function fill(numbers: Float64Array): void {
    // Copies, which are known to be 32-bit numbers: that makes it three times as quick.
    let p = a | 0
    let q = b | 0
    let r = c | 0
    let n = counter | 0
    for (let at = 0; at < numbers.length; at++) {
      const sum = (p + q + n) | 0
      n = (n + 1) | 0
      p = q ^ (q >>> 9)
      q = (r + (r << 3)) | 0
      r = (((r << 21) | (r >>> 11)) + sum) | 0
      numbers[at] = (sum >>> 0) / 2 ** 32
    }
    a = p
    b = q
    c = r
    counter = n
  }
}
