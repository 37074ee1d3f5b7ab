import { describe, expect, it } from 'vitest'
import { withLeaseCheck } from '#aggregator/warehouse/load/write/with-lease-check.js'

describe('a table with a check of the lease', () => {
  it('takes rows only while the lease is held', async () => {
    const inserted: string[] = []
    let holds = true
    const table = withLeaseCheck(
      { insert: async (lines: string[], _token: string) => void inserted.push(...lines) },
      () => holds,
    )
    await table.insert(['a'], 't')
    holds = false
    await expect(table.insert(['b'], 't')).rejects.toThrow('the lease of the stream has lapsed')
    holds = true
    await table.insert(['c'], 't')
    expect(inserted).toEqual(['a', 'c'])
  })
})
