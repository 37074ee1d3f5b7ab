import { describe, expect, it } from 'vitest'
import {
  type ConnectionState,
  createConnections,
  type EngineConnection,
} from '#clickhouse/engine/connections/connections.js'

function fakes(): { connect: () => EngineConnection; log: string[][]; closed: number[] } {
  const log: string[][] = []
  const closed: number[] = []
  return {
    log,
    closed,
    connect() {
      const index = log.push([]) - 1
      return {
        async queryAsync(sql) {
          if (sql.includes('no_such')) throw new Error('Code: 115. DB::Exception: Unknown setting. (UNKNOWN_SETTING)')
          if (!sql.includes('log_comment')) log[index]!.push(sql)
          return { rowsRead: 0, bytesRead: 0, bytes: () => new Uint8Array(), text: () => '' }
        },
        close: () => void closed.push(index),
      }
    },
  }
}

const state = (settings: [string, string][], more: Partial<ConnectionState> = {}): ConnectionState => ({
  database: 'd',
  settings,
  parameters: [],
  readOnly: false,
  ...more,
})

describe('connections', () => {
  it('put back what the last query had set before the next one runs', async () => {
    const { connect, log } = fakes()
    const connections = createConnections(connect, 4)
    for (const wanted of [
      state([['token', "a'b"]]),
      state([]),
      state([]),
      state([['token', 'c']], { database: 'e' }),
    ]) {
      ;(await connections.lease(wanted)).release(true)
    }
    expect(log).toEqual([["USE `d`; SET token = 'a\\'b'", 'SET token = DEFAULT', "USE `e`; SET token = 'c'"]])
  })

  it('set parameters anew for every query', async () => {
    const { connect, log } = fakes()
    const connections = createConnections(connect, 4)
    for (const x of ['1', '1']) (await connections.lease(state([], { parameters: [['x', x]] }))).release(true)
    expect(log).toEqual([["USE `d`; SET param_x = '1'", "SET param_x = '1'"]])
  })

  it('are locked for analysts after the settings, and shared only with the same settings', async () => {
    const { connect, log } = fakes()
    const connections = createConnections(connect, 4)
    const locked = (value: string): ConnectionState => state([['max_execution_time', value]], { readOnly: true })
    for (const wanted of [locked('60'), locked('60'), locked('5'), state([])])
      (await connections.lease(wanted)).release(true)
    expect(log).toEqual([
      ["USE `d`; SET max_execution_time = '60'; SET readonly = 1"],
      ["USE `d`; SET max_execution_time = '5'; SET readonly = 1"],
      ['USE `d`'],
    ])
  })

  it('serve one query at a time', async () => {
    const { connect, log } = fakes()
    const connections = createConnections(connect, 4)
    const [one, two] = await Promise.all([connections.lease(state([])), connections.lease(state([]))])
    expect(one.connection).not.toBe(two.connection)
    expect(log).toHaveLength(2)
  })

  it('belong to their session, and outlive a setting that the engine refuses', async () => {
    const { connect, log, closed } = fakes()
    const connections = createConnections(connect, 4)
    const session = 'writer:a'
    ;(await connections.lease(state([['a', '1']], { session }))).release(true)
    ;(await connections.lease(state([]))).release(true)
    const refused = state(
      [
        ['b', '2'],
        ['no_such', '1'],
      ],
      { session },
    )
    await expect(connections.lease(refused)).rejects.toMatchObject({ code: 115 })
    ;(await connections.lease(state([['a', '1']], { session }))).release(true)
    expect(log).toEqual([
      ['USE `d`', "SET a = '1'", 'SET a = DEFAULT', "SET b = '2'", 'SET b = DEFAULT', "SET a = '1'"],
      ['USE `d`'],
    ])
    connections.endSession(session)
    expect(closed).toEqual([0])
    ;(await connections.lease(state([], { session }))).release(false)
    expect(closed).toEqual([0, 2])
    connections.close()
  })

  it('are closed when in doubt, when idle beyond measure, and at the end', async () => {
    const { connect, closed } = fakes()
    const connections = createConnections(connect, 1)
    ;(await connections.lease(state([]))).release(false)
    expect(closed).toEqual([0])
    await expect(connections.lease(state([['no_such', '1']]))).rejects.toMatchObject({ code: 115 })
    expect(closed).toEqual([0, 1])
    ;(await connections.lease(state([['profile', 'x']]))).release(true)
    expect(closed).toEqual([0, 1, 2])
    const leases = [await connections.lease(state([])), await connections.lease(state([]))]
    for (const lease of leases) lease.release(true)
    expect(closed).toEqual([0, 1, 2, 3])
    connections.close()
    expect(closed).toEqual([0, 1, 2, 3, 4])
  })
})
