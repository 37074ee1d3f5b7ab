import { hash32 } from '@slotstream/protocol'

/**
 * Random numbers in [0, 1) that follow from a seed alone, in every version, so that a draw can be done again: the
 * generator sfc32 of PractRand (https://pracrand.sourceforge.net/RNG_engines.txt), with 32 random bits each.
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
  // The first numbers still show what the state was set to.
  for (let i = 0; i < 12; i++) next()
  return next
}
