import { expect, it } from 'vitest'
import { writeBeside } from '#aggregator/warehouse/load/write/write-beside.js'
import { identityDecisionRows } from '#aggregator/warehouse/rows/identity-decisions.js'

const decision = { state: 'undone', at: Date.UTC(2026, 0, 1), cause: 'a test' }

function rowsOf(visitorId: string, identity: object[]) {
  const text = JSON.stringify({
    siteId: 'shop',
    visitorId,
    receivedAt: '2026-01-01T00:00:00.000Z',
    identity,
    messages: [],
  })
  return identityDecisionRows({ seq: 7, subject: 'events.1', text, storedAt: '', deleted: false }, 7)
}

const both = [
  { anonymousId: 'phone', userId: 'ann', link: { firstAt: 1, lastAt: 1, cause: 'identify' } },
  { anonymousId: 'phone', userId: 'ann', decision },
]

it('makes a row of each decision in the message of its user, and none of what messages say', () => {
  expect(rowsOf('user:ann', both).map(({ line }) => JSON.parse(line))).toEqual([
    {
      site_id: 'shop',
      anonymous_id: 'phone',
      user_id: 'ann',
      state: 'undone',
      merge_id: expect.stringMatching(/^[\w-]{22}$/),
      cause: 'a test',
      decided_at: '2026-01-01T00:00:00.000Z',
      stream_seq: 7,
      batch_index: 1,
    },
  ])
  expect(rowsOf('phone', both)).toEqual([])
})

it('inserts a row once, whatever became of the attempts before', async () => {
  const block = { first: 1, last: 10 }
  const inTable: string[] = []
  const tokens: string[] = []
  let answers = false
  const table = {
    present: async () => new Set(inTable.map(line => `7/${JSON.parse(line).batch_index}`)),
    async insert(lines: string[], token: string) {
      tokens.push(token)
      if (!answers) throw new Error('no answer')
      inTable.push(...lines)
    },
  }
  const rows = rowsOf('user:ann', both)
  await expect(writeBeside(rows, block, table, true)).rejects.toThrow('no answer')
  answers = true
  for (const isFirst of [false, false, true]) await writeBeside(rows, block, table, isFirst)
  expect(inTable).toHaveLength(1)
  // ClickHouse may know the token of an attempt whose rows it lost.
  expect(new Set(tokens).size).toBe(2)
})
