import type { Profile } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { siteProfiles } from '#aggregator/profiles/preview/site-profiles.js'

const profile = (visitorId: string, events: number) => ({ siteId: 'shop', visitorId, events }) as Profile

async function told(memory: Profile[][], stored: Profile[], isWhole = false): Promise<[string, number][]> {
  const cache = { ofSite: () => (memory.length > 1 ? memory.shift()! : memory[0]!), isWhole }
  const store = {
    async *ofSite() {
      for (const each of stored) yield { profile: each, revision: 1, subject: '', isMark: false }
      yield { profile: undefined, revision: 1, subject: '', isMark: true }
    },
  }
  const found: [string, number][] = []
  for await (const { visitorId, events } of siteProfiles(
    { index: 0, cache },
    store,
    'shop',
    new AbortController().signal,
  ))
    found.push([visitorId, events])
  return found
}

it('tells each profile once, as memory has it where it has it', async () => {
  const memory = [profile('a', 2)]
  expect(await told([memory], [profile('a', 1), profile('b', 1)])).toEqual([
    ['a', 2],
    ['b', 1],
  ])
})

it('tells those that came into memory while the store was read', async () => {
  expect(await told([[], [profile('a', 2), profile('b', 2)]], [profile('b', 1)])).toEqual([
    ['b', 1],
    ['a', 2],
  ])
})

it('does not read the store where memory has everything', async () => {
  expect(await told([[profile('a', 2)]], [profile('b', 1)], true)).toEqual([['a', 2]])
})
