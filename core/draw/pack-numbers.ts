/** Letters of six bits each, as in the URL-safe alphabet of base64 (RFC 4648). */
export const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Five bits of a letter are the number's, the sixth says that more of it follows. */
const BITS = 5
const BASE = 2 ** BITS

/** Numbers from here on are no whole numbers of 32 bits with a sign. */
const WIDE = 2 ** 31

/** Letters that a number up to 2^53 takes, at most. */
const MOST_LETTERS = 11

const CODES = Uint8Array.from(LETTERS, letter => letter.charCodeAt(0))

const VALUES = new Map([...LETTERS].map((letter, value) => [letter, value]))

/**
 * Writes whole numbers as letters, the lowest five bits of each first: small ones take a letter, and none is rounded.
 *
 * @param numbers not negative, up to 2^53
 */
export function packNumbers(numbers: ArrayLike<number>): string {
  const codes = codesOf(numbers.length * MOST_LETTERS)
  let count = 0
  for (let at = 0; at < numbers.length; at++) {
    let rest = numbers[at]!
    for (; rest >= WIDE; rest = Math.floor(rest / BASE)) codes[count++] = CODES[BASE + (rest % BASE)]!
    // As a 32-bit number, of which bits are shifted away.
    let bits = rest | 0
    for (; bits >= BASE; bits >>= BITS) codes[count++] = CODES[BASE | (bits & (BASE - 1))]!
    codes[count++] = CODES[bits]!
  }
  return textOf(codes, count)
}

/** Writes letters from their numbers in the alphabet. */
export function lettersOf(values: Uint8Array): string {
  const codes = codesOf(values.length)
  for (let at = 0; at < values.length; at++) codes[at] = CODES[values[at]!]!
  return textOf(codes, values.length)
}

/** Code units of the text that is being written: it is made at once, which takes less time than letter by letter. */
let written = new Uint8Array(4_096)

function codesOf(length: number): Uint8Array {
  if (written.length < length) written = new Uint8Array(2 * length)
  return written
}

/** Code units that an engine takes as arguments. */
const AT_ONCE = 8_192

function textOf(codes: Uint8Array, length: number): string {
  let text = ''
  for (let at = 0; at < length; at += AT_ONCE)
    text += String.fromCharCode.apply(null, codes.subarray(at, Math.min(length, at + AT_ONCE)) as unknown as number[])
  return text
}

/**
 * Reads what `packNumbers` wrote.
 *
 * @throws RangeError for other letters, a number that does not end, or one beyond 2^53
 */
export function unpackNumbers(text: string): number[] {
  const numbers: number[] = []
  let number = 0
  let letters = 0
  for (const letter of text) {
    const value = VALUES.get(letter)
    if (value === undefined) throw new RangeError(`${JSON.stringify(letter)} is no letter of packed numbers`)
    number += (value % BASE) * BASE ** letters++
    if (letters > MOST_LETTERS || !Number.isSafeInteger(number))
      throw new RangeError('a packed number is beyond what is exact')
    if (value >= BASE) continue
    numbers.push(number)
    number = 0
    letters = 0
  }
  if (letters > 0) throw new RangeError('the last of the packed numbers does not end')
  return numbers
}

/** Begins numbers of which each is followed by how often it comes again. */
const RUNS = '*'

/**
 * Writes whole numbers of which many in a row may be the same, whichever way is shorter: one by one, or each with its
 * run.
 */
export function packRuns(numbers: readonly number[]): string {
  const runs: number[] = []
  for (let at = 0; at < numbers.length; at++) {
    if (at > 0 && numbers[at] === numbers[at - 1]) runs[runs.length - 1]!++
    else runs.push(numbers[at]!, 0)
  }
  const plain = packNumbers(numbers)
  const inRuns = RUNS + packNumbers(runs)
  return inRuns.length < plain.length ? inRuns : plain
}

/**
 * Reads what `packRuns` wrote.
 *
 * @param most numbers that are read: more are none of ours
 * @throws RangeError as `unpackNumbers`
 */
export function unpackRuns(text: string, most: number): number[] {
  if (!text.startsWith(RUNS)) return unpackNumbers(text)
  const runs = unpackNumbers(text.slice(RUNS.length))
  const numbers: number[] = []
  for (let at = 0; at < runs.length; at += 2) {
    const times = 1 + (runs[at + 1] ?? 0)
    if (numbers.length + times > most) throw new RangeError(`there are more than ${most} packed numbers`)
    for (let n = 0; n < times; n++) numbers.push(runs[at]!)
  }
  return numbers
}

/** Writes whole numbers, also negative ones, up to 2^52 either way. */
export function packSigned(numbers: ArrayLike<number>): string {
  return packNumbers(Float64Array.from(numbers, number => (number < 0 ? -2 * number - 1 : 2 * number)))
}

/** Reads what `packSigned` wrote. */
export function unpackSigned(text: string): number[] {
  return unpackNumbers(text).map(number => (number % 2 === 1 ? -(number + 1) / 2 : number / 2))
}
