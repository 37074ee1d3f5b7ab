import { describe, expect, it } from 'vitest'
import { rowsOf, withEmbeddedClickHouse } from '../support/embedded-clients.js'

const world = withEmbeddedClickHouse()

describe('side by side', () => {
  const ENDLESS = 'SELECT sum(sipHash64(number)) FROM numbers(1000000000000)'
  const isRunning = async (part: string): Promise<boolean> =>
    (
      await rowsOf(
        world.writer,
        'SELECT 1 FROM system.processes WHERE query LIKE {part:String} AND query NOT LIKE {me:String}',
        {
          part: `%${part}%`,
          me: '%system.processes%',
        },
      )
    ).length > 0
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 50))
  }

  it('a small query and an insert pass a big one, and a client that leaves cancels it', async () => {
    const leaving = new AbortController()
    const big = world.analyst
      .query({ query: ENDLESS, format: 'TabSeparated', abort_signal: leaving.signal })
      .then(result => result.text())
      .catch((error: unknown) => error)
    await until(() => isRunning('1000000000000'))
    expect(await world.count('s')).toBe(0)
    await world.writer.insert({ table: 's', values: [{ n: 1 }], format: 'JSONEachRow' })
    expect(await world.count('s')).toBe(1)
    expect(await isRunning('1000000000000')).toBe(true)
    leaving.abort()
    await big
    await until(async () => !(await isRunning('1000000000000')))
  })

  it('a scalar subquery does not hold up the server', async () => {
    const leaving = new AbortController()
    const big = fetch(world.running.url, {
      method: 'POST',
      body: 'SELECT (SELECT sum(sipHash64(number)) FROM numbers(1000000000001)), 1',
      signal: leaving.signal,
    }).catch(() => {})
    await until(() => isRunning('1000000000001'))
    expect(await world.count('t')).toBe(0)
    leaving.abort()
    await big
    await until(async () => !(await isRunning('1000000000001')))
  })

  it('a client that leaves in the middle of the rows cancels its query', async () => {
    const leaving = new AbortController()
    const response = await fetch(`${world.running.url}/?query=SELECT+number+FROM+numbers(1000000000002)`, {
      signal: leaving.signal,
    })
    const reader = response.body!.getReader()
    await reader.read()
    expect(await isRunning('1000000000002')).toBe(true)
    leaving.abort()
    await until(async () => !(await isRunning('1000000000002')))
  })

  it.each(['SYNC', 'ASYNC'])('KILL QUERY … %s ends a query by the id its request had', async mode => {
    const number = mode === 'SYNC' ? '1000000000005' : '1000000000006'
    const query_id = `kill me ${mode}`
    const big = world.writer
      .query({
        query: `SELECT sum(sipHash64(number)) FROM numbers(${number})`,
        query_id,
        clickhouse_settings: { log_comment: 'mine' },
      })
      .catch((error: unknown) => error)
    await until(() => isRunning(number))
    await world.writer.command({
      query: `KILL QUERY WHERE query_id = {id:String} ${mode}`,
      query_params: { id: 'another' },
    })
    expect(await isRunning(number)).toBe(true)
    await world.writer.command({ query: `KILL QUERY WHERE query_id = '${query_id}' ${mode}` })
    if (mode === 'SYNC') expect(await isRunning(number)).toBe(false)
    expect(await big).toMatchObject({ code: '394', type: 'QUERY_WAS_CANCELLED' })
  })

  it('a client that leaves cancels its query, whatever its log_comment is', async () => {
    const leaving = new AbortController()
    const big = world.writer
      .query({
        query: 'SELECT sum(sipHash64(number)) FROM numbers(1000000000007)',
        clickhouse_settings: { log_comment: 'mine' },
        abort_signal: leaving.signal,
      })
      .catch((error: unknown) => error)
    await until(() => isRunning('1000000000007'))
    leaving.abort()
    await big
    await until(async () => !(await isRunning('1000000000007')))
  })

  it('analysts see whole blocks, and ever more of them, while inserts go on', async () => {
    await world.writer.command({ query: 'CREATE TABLE w (n UInt64) ENGINE = MergeTree ORDER BY n' })
    let inserting = true
    const values = Array.from({ length: 1_000 }, (_, n) => ({ n }))
    const watch = async (): Promise<number[]> => {
      const seen: number[] = []
      while (inserting) seen.push(await world.count('w'))
      return seen
    }
    const watching = Promise.all([watch(), watch(), watch(), watch()])
    for (let block = 0; block < 15; block++) await world.writer.insert({ table: 'w', values, format: 'JSONEachRow' })
    inserting = false
    for (const seen of await watching) {
      expect(seen.filter(n => n % 1_000 !== 0)).toEqual([])
      expect(seen).toEqual([...seen].sort((a, b) => a - b))
    }
    expect(await world.count('w')).toBe(15_000)
  })

  it.each([
    ['time', 'SELECT sum(sipHash64(number)) FROM numbers(1000000000004)', 'max_execution_time=1', 'TIMEOUT_EXCEEDED'],
    ['memory', 'SELECT uniqExact(number) FROM numbers(20000000)', 'max_memory_usage=20000000', 'MEMORY_LIMIT_EXCEEDED'],
    ['rows', 'SELECT number FROM numbers(2000000)', 'max_result_rows=1000', 'TOO_MANY_ROWS_OR_BYTES'],
    ['rows read', 'SELECT sum(n) FROM w', 'max_rows_to_read=10', 'TOO_MANY_ROWS'],
  ])('a limit on %s ends the query with its own error', async (_what, query, limit, error) => {
    const response = await fetch(`${world.running.url}/?${limit}`, { method: 'POST', body: query })
    expect(await response.text()).toContain(`(${error})`)
    expect(response.status).toBeGreaterThanOrEqual(400)
  })

  it('twenty queries at once get their own answers', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        rowsOf<{ x: number }>(i % 2 ? world.analyst : world.writer, 'SELECT {i:UInt32} AS x', { i }),
      ),
    )
    expect(answers.map(([row]) => row!.x)).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })
})
