import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClickHouseClient, ClickHouseError, createClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect } from 'vitest'
import { PASSWORD, type Running, start, stopAll } from './embedded-server.js'

/** Users that every embedded server has. */
export type EmbeddedUser = 'slotstream' | 'default'

/** Headers of the user who may write. */
export const AS_WRITER = { authorization: `Basic ${Buffer.from(`slotstream:${PASSWORD}`).toString('base64')}` }

/** An embedded server with a client of each user, for the tests of one file. */
export interface EmbeddedWorld {
  readonly folder: string
  readonly running: Running
  readonly writer: ClickHouseClient
  readonly analyst: ClickHouseClient
  /** Creates another client, which is closed after the tests. */
  connect(url: string, user: EmbeddedUser, sessionId?: string): ClickHouseClient
  /** Takes a client that was created otherwise, and closes it after the tests. */
  closeLater(client: ClickHouseClient): ClickHouseClient
  count(table: string): Promise<number>
}

/**
 * Starts an embedded server before the tests of a file, with the tables `t (n, s)`, which deduplicates by token, and
 * `s (n)`. After the tests everything ends.
 */
export function withEmbeddedClickHouse(): EmbeddedWorld {
  const clients: ClickHouseClient[] = []
  const world = {
    folder: '',
    running: {} as Running,
    writer: {} as ClickHouseClient,
    analyst: {} as ClickHouseClient,
    connect(url: string, user: EmbeddedUser, sessionId?: string): ClickHouseClient {
      return world.closeLater(
        createClient({
          url,
          username: user,
          password: user === 'slotstream' ? PASSWORD : '',
          ...(sessionId === undefined
            ? { compression: { request: true, response: true }, clickhouse_settings: { wait_end_of_query: 0 } }
            : { session_id: sessionId }),
          log: { level: 127 },
        }),
      )
    },
    closeLater(client: ClickHouseClient): ClickHouseClient {
      clients.push(client)
      return client
    },
    async count(table: string): Promise<number> {
      const [row] = await rowsOf<{ n: string }>(world.analyst, `SELECT count() AS n FROM ${table}`)
      return Number(row!.n)
    },
  }

  beforeAll(async () => {
    world.folder = mkdtempSync(join(tmpdir(), 'embedded-clickhouse-'))
    world.running = await start(world.folder)
    world.writer = world.connect(world.running.url, 'slotstream')
    world.analyst = world.connect(world.running.url, 'default')
    await world.writer.command({
      query: `CREATE TABLE t (n UInt64, s String) ENGINE = MergeTree ORDER BY n
              SETTINGS non_replicated_deduplication_window = 100`,
    })
    await world.writer.command({ query: 'CREATE TABLE s (n UInt64) ENGINE = MergeTree ORDER BY n' })
  })

  afterAll(async () => {
    await Promise.all(clients.map(client => client.close()))
    await stopAll()
    rmSync(world.folder, { recursive: true, force: true })
  })

  return world
}

/** Runs a query with parameters and returns its rows. */
export async function rowsOf<T>(
  client: ClickHouseClient,
  query: string,
  query_params?: Record<string, unknown>,
): Promise<T[]> {
  const result = await client.query({ query, format: 'JSONEachRow', ...(query_params ? { query_params } : {}) })
  return result.json<T>()
}

/** Returns the error that the server answers with. Fails where there is none. */
export async function errorOf(work: Promise<unknown>): Promise<ClickHouseError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ClickHouseError)
  return error as ClickHouseError
}
