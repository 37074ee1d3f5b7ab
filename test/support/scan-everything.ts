import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import type { Nats } from '@slotstream/runtime'
import { readableColumns } from '#aggregator/lake/readable-columns.js'

/** Messages that are asked for at a time. */
const AT_ONCE = 100

/** Where something is kept, as text in which to look for whatever must not be there. */
export interface Kept {
  place: string
  text: string
}

/** What an installation on this machine keeps, and how it is reached. */
export interface Scanned {
  nats: Nats
  /** A user who may make tables. */
  clickhouse: ClickHouseClient
  /** Folders whose files are text: logs, secrets. */
  folders: string[]
  /** The folder of the lake. */
  lake: string
}

/**
 * Reads everything: each table of ClickHouse and what it remembers of statements, each message of each stream and
 * bucket, each file of the lake, each log. It knows no list of places, so that a new one is read, too.
 */
export async function* scanEverything({ nats, clickhouse, folders, lake }: Scanned): AsyncGenerator<Kept> {
  for (const table of await tablesOf(clickhouse))
    yield* rowsOf(clickhouse, `table ${table}`, `SELECT * FROM slotstream.\`${table}\``)
  yield* rowsOf(clickhouse, 'statements', 'SELECT command FROM system.mutations')
  yield* messagesOf(nats)
  yield* filesOfLake(clickhouse, lake)
  for (const folder of folders)
    for (const path of await filesIn(folder))
      yield { place: `file ${relative(folder, path)}`, text: await readFile(path, 'utf8') }
}

/** Names of all tables that keep rows. */
export async function tablesOf(clickhouse: ClickHouseClient): Promise<string[]> {
  const result = await clickhouse.query({
    query: "SELECT name FROM system.tables WHERE database = 'slotstream' AND engine NOT LIKE '%View' ORDER BY name",
    format: 'JSONEachRow',
  })
  return (await result.json<{ name: string }>()).map(({ name }) => name)
}

async function* rowsOf(clickhouse: ClickHouseClient, place: string, query: string): AsyncGenerator<Kept> {
  const result = await clickhouse.query({ query, format: 'JSONEachRow' })
  for await (const rows of result.stream()) for (const row of rows) yield { place, text: row.text }
}

async function* messagesOf({ manager }: Nats): AsyncGenerator<Kept> {
  for await (const { config, state } of manager.streams.list())
    for (let first = state.first_seq; first <= state.last_seq && state.messages > 0; first += AT_ONCE) {
      const sequences = Array.from({ length: Math.min(AT_ONCE, state.last_seq - first + 1) }, (_, i) => first + i)
      const messages = await Promise.all(sequences.map(seq => manager.streams.getMessage(config.name, { seq })))
      for (const message of messages) {
        if (!message) continue
        const headers = message.header ? JSON.stringify([...message.header]) : ''
        const text = message.string()
        yield { place: `stream ${config.name}`, text: `${message.subject} ${headers} ${text} ${fromBase64(text)}` }
      }
    }
}

/** What a dead letter carries. */
function fromBase64(text: string): string {
  const payload = /"encoding":"base64","payload":"([^"]+)"/.exec(text)?.[1]
  return payload ? Buffer.from(payload, 'base64').toString('utf8') : ''
}

async function* filesOfLake(clickhouse: ClickHouseClient, lake: string): AsyncGenerator<Kept> {
  const run = (query: string) => clickhouse.command({ query })
  for (const path of await filesIn(lake)) {
    const table = relative(lake, path).split('/')[0]!
    if (!path.endsWith('.parquet')) continue
    await run('CREATE DATABASE IF NOT EXISTS scan')
    await run('DROP TABLE IF EXISTS scan.file SYNC')
    const columns = await readableColumns(clickhouse, `slotstream.${table}`)
    await run(`CREATE TABLE scan.file (${columns}) ENGINE = MergeTree ORDER BY stream_seq`)
    const { stream } = await clickhouse.exec({
      query: 'INSERT INTO scan.file FORMAT Parquet',
      values: createReadStream(path),
    })
    for await (const _ of stream);
    yield* rowsOf(clickhouse, `lake ${table}`, 'SELECT * FROM scan.file')
    await run('DROP DATABASE scan SYNC')
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(({ name, parentPath }) => join(parentPath, name))
}
