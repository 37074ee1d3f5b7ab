import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSites } from '#collector/sites.js'
import { startBroker } from '../support/collector.js'

const ROUNDS = 10

let broker: Awaited<ReturnType<typeof startBroker>>
let urls: string[]

beforeAll(async () => {
  broker = await startBroker()
  urls = [await broker.collector(), await broker.collector()]
})
afterAll(() => broker?.stop())

async function put(url: string, siteId: string, site: object) {
  const response = await fetch(`${url}/v1/admin/sites/${siteId}`, {
    method: 'PUT',
    headers: { Authorization: 'Bearer secret' },
    body: JSON.stringify(site),
  })
  return { status: response.status, text: await response.text() }
}

/** The sites that the bucket has, as the collectors see them after a start. */
async function storedSites() {
  const { sites } = broker.installation.buckets
  const stored = createSites()
  for await (const key of await sites.keys()) {
    const entry = await sites.get(key)
    if (entry) stored.apply(entry)
  }
  return stored.list()
}

describe('sites that claim one key at the same moment', () => {
  const CLAIMS = [
    ['the same write key', (key: string) => [{ writeKeys: [key] }, { writeKeys: [key] }]],
    [
      'the same secret key',
      (key: string) => [
        { writeKeys: [`${key}-a`], secretKeys: [key] },
        { writeKeys: [`${key}-b`], secretKeys: [key] },
      ],
    ],
    [
      'one as public, one as secret',
      (key: string) => [{ writeKeys: [key] }, { writeKeys: [`${key}-b`], secretKeys: [key] }],
    ],
  ] as const

  it.each(CLAIMS)('%s: one gets it, by whichever collectors, and the other is told', async (_name, claim) => {
    for (let round = 0; round < ROUNDS; round++) {
      const key = `${_name.replaceAll(' ', '-').replace(',', '')}-${round}-0123456789`
      const ids = [`r${round}-one`, `r${round}-two`]
      const bodies = claim(key)
      const answers = await Promise.all(ids.map((id, n) => put(urls[(n * (round % 2)) % 2]!, id, bodies[n]!)))
      expect(answers.map(({ status }) => status).toSorted(), JSON.stringify(answers)).toEqual([200, 409])
      const refused = answers.findIndex(({ status }) => status === 409)
      expect(answers[refused]!.text).toContain(`key belongs to ${ids[1 - refused]} already`)
      for (const id of ids)
        for (const url of urls)
          await fetch(`${url}/v1/admin/sites/${id}`, { method: 'DELETE', headers: { Authorization: 'Bearer secret' } })
    }
  })

  it('many sites with keys of their own are all stored, and one of many that claim the same key', async () => {
    const many = Array.from({ length: 30 }, (_, n) => n)
    const own = await Promise.all(many.map(n => put(urls[n % 2]!, `own-${n}`, { writeKeys: [`own-${n}`] })))
    expect(own.map(({ status }) => status)).toEqual(many.map(() => 200))
    const same = await Promise.all(many.map(n => put(urls[n % 2]!, `same-${n}`, { writeKeys: ['same'] })))
    expect(same.filter(({ status }) => status === 200)).toHaveLength(1)
    const owners = (await storedSites()).filter(({ writeKeys }) => writeKeys.includes('same'))
    expect(owners).toHaveLength(1)
  })

  it('that a bucket has for two sites all the same is everywhere the same one’s', () => {
    const entries = ['b', 'a', 'c'].map(siteId => ({
      ...{ key: siteId, operation: 'PUT' as const },
      json: <T>() => ({ siteId, name: siteId, writeKeys: ['twice'], allowedOrigins: ['*'], debug: false }) as T,
    }))
    for (const order of [entries, entries.toReversed()]) {
      const sites = createSites()
      for (const entry of order) sites.apply(entry)
      expect(sites.byWriteKey('twice')?.siteId).toBe('a')
    }
  })
})
