import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compileCondition } from '#core/conditions/compile-condition.js'

type Case = [
  name: string,
  condition: unknown,
  attributes: unknown,
  expected: boolean,
  groups?: Record<string, readonly unknown[]>,
]

// GrowthBook's own cases, which each of their SDKs passes. They are no part of this repository, but in a folder beside
// it, or beside the folder of a checkout of a branch.
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const places = ['..', '../..'].map(up => join(ROOT, up, 'shared/data/growthbook-conditions/cases.json'))
const file = places.find(place => existsSync(place))
const cases: Case[] = file === undefined ? [] : JSON.parse(readFileSync(file, 'utf8')).evalCondition
if (file === undefined) console.warn(`GrowthBook's cases are not checked: there is no ${places[0]}`)

/** Conditions that are rejected when they are compiled, where GrowthBook's runtime says that they don't match. */
const REFUSED: Record<string, string> = {
  'unknown operator - pass': 'condition.name.$regx: unknown operator $regx: did you mean $regex?',
  '$regex invalid - pass': 'condition.name.$regex: pattern "/???***[)"',
  '$regex invalid - fail': 'condition.name.$regex: pattern "/???***[)"',
  '$in - not array': 'condition.num.$in: must be a list',
  '$nin - not array': 'condition.num.$nin: must be a list',
  '$ini - not array': 'condition.num.$ini: must be a list',
  '$nini - not array': 'condition.num.$nini: must be a list',
  '$inGroup fails for unknown group id': 'there is no group "unknowngroup_id"',
  '$notInGroup passes for unknown group id': 'there is no group "unknowngroup_id"',
}

describe.skipIf(cases.length === 0)("GrowthBook's cases", () => {
  it('are all there', () => {
    expect(cases).toHaveLength(248)
    expect(Object.keys(REFUSED).filter(name => !cases.some(([other]) => other === name))).toEqual([])
  })

  it.each(cases)('%s', (name, condition, attributes, expected, groups) => {
    const compiled = compileCondition(condition, { groups })
    const refusal = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined
    if (refusal !== undefined) {
      expect(compiled).toMatchObject({ ok: false, reason: expect.stringContaining(refusal) })
      return
    }
    if (!compiled.ok) throw new Error(compiled.reason)
    const { matches, misses, countMisses } = compiled.value
    expect(matches(attributes)).toBe(expected)
    expect(misses(attributes)).toHaveLength(countMisses(attributes))
    expect(countMisses(attributes) === 0).toBe(expected)
  })
})
