import { hash32 } from '@slotstream/protocol'

/**
 * Creates a generator of random numbers in [0, 1) that depend on the seed alone, in every version of the product, so
 * that a draw can be repeated: sfc32 of PractRand (https://pracrand.sourceforge.net/RNG_engines.txt), 32 bits each.
 */
export function seededRandom(seed: string): () => number {
  let a = hash32(`0${seed}`)
  let b = hash32(`1${seed}`)
  let c = hash32(`2${seed}`)
  let counter = 1
  const next = () => {
    const sum = (a + b + counter++) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  // The first numbers still correlate with the seed.
  for (let i = 0; i < 12; i++) next()
  return next
}
