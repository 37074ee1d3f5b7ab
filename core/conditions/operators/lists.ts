import { nearest } from '@slotstream/protocol'
import { countClause, fault, type Operator, type Place, placeWithin } from '../compilation.js'
import type { Test } from '../condition.js'
import { MAX_CLAUSES, MAX_ELEMENTS, MAX_LIST } from '../limits.js'
import { showList } from '../words/show.js'
import { isBigInteger, isScalar, type Scalar, scalarOperand, testable } from './operands.js'

/** `$in`: the value, or an element of a list, is one of these. Types must agree. */
export const isIn: Operator = (operand, place) => {
  const entries = entriesOf(operand, place)
  return entries && membershipTest(entries, sameValue, `one of ${showList(entries)}`)
}

/** `$nin` */
export const isNotIn: Operator = (operand, place) => {
  const entries = entriesOf(operand, place)
  return entries && negated(membershipTest(entries, sameValue, ''), `none of ${showList(entries)}`)
}

/** `$ini`: as `$in`, whatever the case of letters. */
export const isInAnyCase: Operator = (operand, place) => {
  const entries = entriesOf(operand, place)
  return entries && membershipTest(entries, folded, `one of ${showList(entries)} in any case`)
}

/** `$nini` */
export const isNotInAnyCase: Operator = (operand, place) => {
  const entries = entriesOf(operand, place)
  return entries && negated(membershipTest(entries, folded, ''), `none of ${showList(entries)} in any case`)
}

/** `$all`: a list has an element for each of these values or operators. */
export const all: Operator = (operand, place) =>
  allTest(operand, place, (entry, at) => at.compilation.compileTests(entry, at))

/** `$alli`: as `$all`, whatever the case of letters. */
export const allInAnyCase: Operator = (operand, place) =>
  allTest(operand, place, (entry, at) => {
    if (typeof entry !== 'string') return at.compilation.compileTests(entry, at)
    countClause(at)
    const scalar = scalarOperand(entry, { ...at, isTime: false })
    const text = entry.toLowerCase()
    return scalar
      ? [
          {
            matches: value => isScalar(value) && value !== null && String(value).toLowerCase() === text,
            expected: `${showList([entry])} in any case`,
          },
        ]
      : []
  })

/** `$inGroup`: as `$in` with a list of `groups`. */
export const isInGroup: Operator = (operand, place) => {
  const entries = groupOf(operand, place)
  return entries && membershipTest(entries, sameValue, `in group ${showList([operand])}`)
}

/** `$notInGroup` */
export const isNotInGroup: Operator = (operand, place) => {
  const entries = groupOf(operand, place)
  return entries && negated(membershipTest(entries, sameValue, ''), `not in group ${showList([operand])}`)
}

/** Returns whether an element of a list passes, as far as `MAX_ELEMENTS`. */
export function someElement(list: readonly unknown[], passes: (element: unknown) => boolean): boolean {
  const end = Math.min(list.length, MAX_ELEMENTS)
  for (let index = 0; index < end; index++) if (passes(testable(list[index]))) return true
  return false
}

function entriesOf(operand: unknown, place: Place): Scalar[] | undefined {
  if (!Array.isArray(operand)) return fault(place, 'must be a list')
  if (operand.length > MAX_LIST) return fault(place, `has ${operand.length} entries, ${MAX_LIST} are allowed`)
  const entries = operand.map((entry, index) => scalarOperand(entry, placeWithin(place, index)))
  return entries.some(entry => entry === undefined) ? undefined : entries.map(entry => entry!.value)
}

function membershipTest(entries: readonly Scalar[], fold: (value: unknown) => unknown, words: string): Test {
  if (fold === sameValue && entries.length <= FEW) return fewTest(entries, words)
  const set = new Set<unknown>(entries.map(fold))
  const isMember = (value: unknown) => set.has(fold(value))
  return { matches: value => (Array.isArray(value) ? someElement(value, isMember) : isMember(value)), expected: words }
}

/** Most entries that are compared one by one, which is faster than to look up in a set. */
const FEW = 8

/** Tests membership in a list of a few entries, the usual case, without a function for each comparison. */
function fewTest(entries: readonly Scalar[], words: string): Test {
  const isEntry = (value: unknown): boolean => {
    for (const entry of entries) if (entry === value) return true
    return false
  }
  const mayBeMarked = entries.some(isBigInteger)
  const hasEntry = (list: readonly unknown[]): boolean => {
    if (mayBeMarked || list.length > MAX_ELEMENTS) return someElement(list, isEntry)
    for (const entry of entries) if (list.includes(entry)) return true
    return false
  }
  return { matches: value => (Array.isArray(value) ? hasEntry(value) : isEntry(value)), expected: words }
}

function sameValue(value: unknown): unknown {
  return value
}

function folded(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value
}

function negated(test: Test, words: string): Test {
  return { matches: value => !test.matches(value), expected: words }
}

function allTest(operand: unknown, place: Place, compile: (entry: unknown, at: Place) => Test[]): Test | undefined {
  if (!Array.isArray(operand)) return fault(place, 'must be a list')
  if (operand.length > MAX_CLAUSES) return fault(place, `has ${operand.length} entries, ${MAX_CLAUSES} are allowed`)
  const entries = operand.map((entry, index) => compile(entry, placeWithin(place, index)))
  return {
    matches: value =>
      Array.isArray(value) &&
      entries.every(tests => someElement(value, element => tests.every(test => test.matches(element)))),
    expected: `all of ${showList(operand)}`,
  }
}

function groupOf(operand: unknown, place: Place): Scalar[] | undefined {
  const groups = place.compilation.options.groups ?? {}
  if (typeof operand !== 'string') return fault(place, 'must be the name of a group')
  const name = showList([operand])
  if (Object.hasOwn(groups, operand)) return entriesOf(groups[operand], place)
  const names = Object.keys(groups)
  const meant = nearest(operand, names)
  if (meant !== undefined) return fault(place, `there is no group ${name}: did you mean ${JSON.stringify(meant)}?`)
  return fault(
    place,
    names.length > 0 ? `there is no group ${name}` : `there is no group ${name}: list its values with $in`,
  )
}
