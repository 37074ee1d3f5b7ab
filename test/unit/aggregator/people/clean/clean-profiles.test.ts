import { type ForgetRequest, type Person, partitionOf } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { forgetByOwners } from '#aggregator/people/clean/clean-profiles.js'

const PARTITIONS = 64
const BEFORE = 1_000
const phone: Person = { siteId: 'shop', userIds: [], browsers: [], anonymousIds: ['phone'] }
const ann: Person = { siteId: 'shop', userIds: ['ann'], browsers: ['phone'], anonymousIds: [] }

/** Owners of the profiles of a phone and a laptop of ann's; on the phone was ben, too, who has a tablet. */
function someOwners(isThere: (visitorId: string) => boolean = () => true) {
  const links = new Map([
    ['phone', ['ann', 'ben']],
    ['laptop', ['ann']],
    ['tablet', ['ben']],
    ['user:ann', ['phone', 'laptop']],
    ['user:ben', ['phone', 'tablet']],
  ])
  const asked: string[] = []
  const warnings: unknown[] = []
  return {
    asked,
    warnings,
    linkedTo: async (visitorId: string) => links.get(visitorId) ?? [],
    async ask(partition: number, { siteId, visitorIds, links: others = [] }: ForgetRequest) {
      for (const visitorId of [...visitorIds, ...others.map(([other]) => other)]) {
        expect(partitionOf(siteId, visitorId, PARTITIONS)).toBe(partition)
        if (!isThere(visitorId)) return undefined
      }
      asked.push(...others.map(([visitorId, browser]) => `${visitorId} without ${browser}`), ...visitorIds)
      for (const visitorId of visitorIds) links.delete(visitorId)
      return visitorIds.length
    },
    log: { warn: (warning: unknown) => void warnings.push(warning) },
  }
}

describe('the owners of partitions', () => {
  it('take a browser out of the profiles of others before they delete its own', async () => {
    const owners = someOwners()
    expect(await forgetByOwners({ person: phone, before: BEFORE }, PARTITIONS, owners)).toBe(1)
    expect(owners.asked.at(-1)).toBe('phone')
    expect(owners.asked.slice(0, -1).sort()).toEqual(
      ['laptop without ', 'tablet without ', 'user:ann without phone', 'user:ben without phone'].sort(),
    )
  })

  it('leave another user of the browser the link, and nothing that was told', async () => {
    const owners = someOwners()
    expect(await forgetByOwners({ person: ann, before: BEFORE }, PARTITIONS, owners)).toBe(2)
    expect(owners.asked.slice(0, 2).sort()).toEqual(['tablet without ', 'user:ben without '])
    expect(owners.asked.slice(2).sort()).toEqual(['phone', 'user:ann'])
  })

  it.each(['tablet', 'user:ben'])('delete nothing while none has %s, so that the repeat finds it', async missing => {
    let isMissing = true
    const owners = someOwners(visitorId => !isMissing || visitorId !== missing)
    const forget = () => forgetByOwners({ person: phone, before: BEFORE }, PARTITIONS, owners)
    await expect(forget()).rejects.toThrow('no process keeps the partition')
    expect(owners.asked).not.toContain('phone')
    isMissing = false
    expect(await forget()).toBe(1)
    expect(new Set(owners.asked).size).toBe(5)
  })

  it('need not be there for profiles of the person, which the bucket has', async () => {
    const owners = someOwners(visitorId => visitorId !== 'phone')
    expect(await forgetByOwners({ person: phone, before: BEFORE }, PARTITIONS, owners)).toBe(0)
    expect(owners.warnings).toHaveLength(1)
  })
})
