import { isObject } from './checks/is-object.js'

/**
 * Whole numbers beyond 2^53, of which JavaScript's numbers keep 53 bits: `175928847299117063` would be read as
 * `…117060`, and two people become one. They are read as text that a noncharacter of Unicode marks, and are digits
 * again where JSON is written. (`JSON.parse` shows a reviver the digits only from Node 21 on.)
 */
export const INTEGER_MARK = '\ufdd0'
const MARK_CODE = INTEGER_MARK.charCodeAt(0)

/** The same as an escape in JSON text. */
const ESCAPED_MARK = /\\ufdd0/i

/** Digits of the smallest number that may be unsafe. */
const FEWEST_DIGITS = 16

/** A marked number as a value of JSON text: what is before and behind it tells it from text that looks like one. */
const MARKED = new RegExp(`(?<=[:,[])"${INTEGER_MARK}(-?\\d{${FEWEST_DIGITS},})"(?=[,}\\]])`, 'g')

/** A marked number as a text. */
const DIGITS = new RegExp(`^${INTEGER_MARK}-?\\d{${FEWEST_DIGITS},}$`)

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
const NUMBER = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y

/**
 * Returns JSON text whose unsafe whole numbers are marked text. Only for text that JSON.parse takes.
 *
 * @returns nothing where there are none, which is found out quickly, or where the text uses the mark itself
 */
export function markIntegers(json: string): string | undefined {
  if (!hasDigits(json, FEWEST_DIGITS) || json.includes(INTEGER_MARK) || ESCAPED_MARK.test(json)) return undefined
  return replaceIntegers(json, digits => `"${INTEGER_MARK}${digits}"`)
}

/**
 * Parses JSON. Whole numbers that JavaScript would round are text with all their digits.
 *
 * @param value what JSON.parse makes of the text. Default: it is parsed
 */
export function parseExact(json: string, value: unknown = JSON.parse(json)): unknown {
  if (!hasDigits(json, FEWEST_DIGITS)) return value
  const quoted = replaceIntegers(json, digits => `"${digits}"`)
  return quoted === undefined ? value : JSON.parse(quoted)
}

/** Writes unsafe whole numbers otherwise. Undefined: there are none */
function replaceIntegers(json: string, write: (digits: string) => string): string | undefined {
  let replaced = ''
  let written = 0
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = closingQuote(json, at)
    else if (code === MINUS || isDigit(code)) {
      NUMBER.lastIndex = at
      const [number, fraction, exponent] = NUMBER.exec(json)!
      if (!(fraction || exponent || Number.isSafeInteger(Number(number)))) {
        replaced += json.slice(written, at) + write(number)
        written = at + number.length
      }
      at += number.length - 1
    }
  }
  return written === 0 ? undefined : replaced + json.slice(written)
}

/** Returns the digits of a marked number; any other text as it is, also one that begins with the mark. */
export function digitsOf(text: string): string {
  return isMarkedNumber(text) ? text.slice(INTEGER_MARK.length) : text
}

/** Tells whether a text stands for a whole number: where text is asked for, it is none. */
export function isMarkedNumber(text: string): boolean {
  return text.charCodeAt(0) === MARK_CODE && DIGITS.test(text)
}

/** Fields whose numbers are ids, of a message and of its context. */
const IDS = ['messageId', 'anonymousId', 'userId', 'previousId', 'groupId']
const CONTEXT_IDS = ['sessionId', 'pageViewId']

/**
 * Makes the digits of marked numbers the ids of a message, in place.
 *
 * @returns whether there were any
 */
export function takeDigitsOfIds(message: Record<string, unknown>): boolean {
  const { context } = message
  const inMessage = takeDigits(message, IDS)
  return (isObject(context) && takeDigits(context, CONTEXT_IDS)) || inMessage
}

function takeDigits(object: Record<string, unknown>, fields: string[]): boolean {
  let hasChanged = false
  for (const field of fields) {
    const value = object[field]
    if (typeof value !== 'string' || !isMarkedNumber(value)) continue
    object[field] = digitsOf(value)
    hasChanged = true
  }
  return hasChanged
}

/**
 * Returns the JSON text of marked values with the digits in their place.
 *
 * @param write a number as JSON. Default: its digits
 */
export function withDigits(json: string, write: (digits: string) => string = digits => digits): string {
  return json.includes(INTEGER_MARK) ? json.replace(MARKED, (_, digits: string) => write(digits)) : json
}

/**
 * Tells whether so many digits are in a row: they cover one place in `length`, so that hardly any character is looked
 * at.
 */
export function hasDigits(text: string, length: number): boolean {
  for (let at = length - 1; at < text.length; at += length) {
    if (!isDigit(text.charCodeAt(at))) continue
    let first = at
    while (isDigit(text.charCodeAt(first - 1))) first--
    let end = at + 1
    while (isDigit(text.charCodeAt(end))) end++
    if (end - first >= length) return true
  }
  return false
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Returns the place of the quote that ends a string: the first with an even number of backslashes before it. */
function closingQuote(json: string, from: number): number {
  let at = from
  for (;;) {
    at = json.indexOf('"', at + 1)
    let backslashes = 0
    while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return at
  }
}
