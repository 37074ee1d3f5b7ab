import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planShare } from '#aggregator/ownership/plan-share.js'

const RESOURCES = Array.from({ length: 11 }, (_, index) => String(index))
const MEMBERS = ['a', 'b', 'c', 'd']

/** Members, and who holds what: members, ended ones, none. */
const situation = fc.record({
  live: fc.uniqueArray(fc.constantFrom(...MEMBERS), { minLength: 1 }),
  owners: fc.array(fc.constantFrom(...MEMBERS, 'dead', ''), {
    minLength: RESOURCES.length,
    maxLength: RESOURCES.length,
  }),
})

describe('a share', () => {
  it('is released and claimed until everything is held and spread evenly, whoever goes first', () => {
    fc.assert(
      fc.property(situation, fc.infiniteStream(fc.nat(3)), ({ live, owners }, turns) => {
        const members = new Set(live)
        const held = new Map(RESOURCES.map((resource, index) => [resource, owners[index]!]))
        const whose = (resource: string) => held.get(resource) ?? ''
        let quiet = 0
        for (const turn of turns) {
          const me = live[turn % live.length]!
          const { release, claim } = planShare(me, members, RESOURCES, whose)
          for (const resource of release) expect(whose(resource)).toBe(me)
          for (const resource of claim) expect(members.has(whose(resource))).toBe(false)
          for (const resource of release) held.set(resource, '')
          for (const resource of claim) held.set(resource, me)
          quiet = release.length + claim.length > 0 ? 0 : quiet + 1
          if (quiet > 50) break
        }
        const counts = live.map(member => RESOURCES.filter(resource => whose(resource) === member).length)
        expect(counts.reduce((sum, count) => sum + count)).toBe(RESOURCES.length)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('moves nothing that need not move', () => {
    const owners = ['a', 'a', 'b', 'b', 'a', 'b', 'a', 'b', 'a', 'b', 'a']
    const whose = (resource: string) => owners[Number(resource)]!
    for (const me of ['a', 'b'])
      expect(planShare(me, new Set(['a', 'b']), RESOURCES, whose)).toEqual({ release: [], claim: [] })
  })
})
