import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { normalizedText } from '#clickhouse/query-log/normalize.js'
import { createQueryLog, type LoggedQuery } from '#clickhouse/query-log/query-log.js'

it.each([
  ["SELECT 'alice@example.com', -1.5, x'00' FROM t", 'SELECT ?.., -?.., x? FROM t'],
  ["SELECT * FROM t WHERE n IN (1, 2, 3) AND s = 'it\\'s'", 'SELECT * FROM t WHERE n IN (?..) AND s = ?'],
  ['SELECT n AS `alice@example.com` FROM `a b`.`order`', 'SELECT n AS ? FROM ?.`order`'],
  ['SELECT {id:String}, [1, 2], [(1, 2), (3, 4)]', 'SELECT {id:String}, [?..], [(?..), (?..)]'],
])('a shape has no literal: %s', (sql, shape) => {
  const text = normalizedText(sql)
  expect(text).not.toMatch(/alice|it's|1\.5/)
  if (!sql.includes('-1.5')) expect(text).toBe(shape)
})

it('a shape is bounded', () => {
  expect(normalizedText(`SELECT ${Array.from({ length: 5_000 }, (_, i) => `c${i}`).join(', ')}`)).toHaveLength(4_098)
})

describe('the log', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const query = (user: string): LoggedQuery => ({
    user,
    queryId: 'q'.repeat(100),
    userAgent: 'curl',
    verb: 'SELECT',
    query: 'SELECT ?',
    database: 'slotstream',
    startedAt: 0,
    started: true,
    exceptionCode: 0,
    summary: { result_rows: 1 },
  })

  it('writes what came within five seconds in one go, a bounded number of rows of each user, and counts the rest', async () => {
    const written: string[][] = []
    const warned: Record<string, unknown>[] = []
    const log = createQueryLog({
      insert: async rows => written.push(rows.toString().trimEnd().split('\n')),
      warn: entry => warned.push(entry),
    })
    for (let n = 0; n < 600; n++) log.record(query('ada'))
    for (let n = 0; n < 10; n++) log.record(query('bea'))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(written).toHaveLength(1)
    const users = written[0]!.map(row => JSON.parse(row).user as string)
    expect([users.filter(user => user === 'ada').length, users.filter(user => user === 'bea').length]).toEqual([
      250, 10,
    ])
    expect(warned).toEqual([{ msg: 'queries left out of the query log', count: 350 }])
    expect(JSON.parse(written[0]![0]!)).toMatchObject({
      query_kind: 'Select',
      query_id: 'q'.repeat(64),
      result_rows: 1,
    })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(written).toHaveLength(1)
  })

  it('takes so many bytes an hour, of one user and of all', async () => {
    vi.setSystemTime(0)
    const bytes = new Map<string, number>()
    const log = createQueryLog({
      insert: async rows => {
        for (const row of rows.toString().trimEnd().split('\n')) {
          const { user } = JSON.parse(row)
          bytes.set(user, (bytes.get(user) ?? 0) + row.length + 1)
        }
      },
      warn: () => {},
    })
    const database = Buffer.alloc(1_000_000, 'd').toString()
    const long = (user: string) => ({ ...query(user), query: 'c'.repeat(4_096), database })
    const users = ['a', 'b', 'c', 'd', 'e']
    for (const user of users)
      for (let flushes = 0; flushes < 10; flushes++) {
        for (let n = 0; n < 250; n++) log.record(long(user))
        await vi.advanceTimersByTimeAsync(5_000)
      }
    expect(bytes.get('a')).toBeGreaterThan(3_900_000)
    for (const user of users) expect(bytes.get(user) ?? 0).toBeLessThanOrEqual(4_000_000)
    expect([...bytes.values()].reduce((sum, size) => sum + size)).toBeLessThanOrEqual(16_000_000)
    await vi.advanceTimersByTimeAsync(3_600_000)
    log.record(long('e'))
    await log.close()
    expect(bytes.get('e')).toBeGreaterThan(4_096)
  })

  it('goes on when rows cannot be written, without a word of them, and writes what is held at the end', async () => {
    const warned: Record<string, unknown>[] = []
    let works = false
    let rows = 0
    const log = createQueryLog({
      insert: async () => {
        if (!works) throw Object.assign(new Error('SELECT secret'), { code: 243 })
        rows++
      },
      warn: entry => warned.push(entry),
    })
    log.record(query('ada'))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(warned).toEqual([{ msg: 'query log not written', count: 1, code: 243 }])
    works = true
    log.record(query('ada'))
    await log.close()
    expect(rows).toBe(1)
  })
})
