import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ReplayError } from '../errors.js'
import { linesOf, readTable } from './csv.js'
import { contentIdOf, type Impression, ITEM_COLUMNS, LOG_COLUMNS, readImpression } from './open-bandit.js'

/** An impression log and, where there is one beside it, the table of its items. */
export interface LogFiles {
  log: string
  items?: string
}

/** Summary of a log that is to be replayed. */
export interface LogSummary {
  fingerprint: string
  impressions: number
  clicks: number
  contentIds: Set<string>
}

/**
 * Finds the log and the item table: `path` is the log, or a folder with exactly one. Files are known by their columns,
 * not by their names. Throws a ReplayError when there is no log or more than one.
 */
export async function findFiles(path: string): Promise<LogFiles> {
  const stats = await stat(path).catch(() => undefined)
  if (!stats) throw new ReplayError(`${path} doesn't exist: give the log's CSV file, or the folder it is in`)
  const folder = stats.isDirectory() ? path : dirname(path)
  const tables: { file: string; columns: string[] }[] = []
  for (const name of (await readdir(folder)).filter(name => name.endsWith('.csv')).sort())
    tables.push({ file: join(folder, name), columns: await columnsOf(join(folder, name)) })
  const having = (needed: string[]) =>
    tables.filter(table => needed.every(name => table.columns.includes(name))).map(table => table.file)
  const logs = stats.isDirectory() ? having(LOG_COLUMNS) : [path]
  if (logs.length === 0)
    throw new ReplayError(`${path} holds no CSV file with the columns ${LOG_COLUMNS.join(', ')} of an Open Bandit log`)
  if (logs.length > 1)
    throw new ReplayError(
      `${path} holds several logs (${logs.map(file => basename(file)).join(', ')}): give one of them`,
    )
  const [items] = having(ITEM_COLUMNS)
  return items === undefined ? { log: logs[0]! } : { log: logs[0]!, items }
}

/** Reads the impressions of a log, in its order. Memory doesn't grow with the log. */
export async function* readLog(file: string, hash?: Hash): AsyncGenerator<Impression> {
  let index = 0
  for await (const row of readTable(linesOf(chunksOf(file, hash)), LOG_COLUMNS, file))
    yield readImpression(row, index++, file)
}

/**
 * Reads a whole log before anything is sent: a wrong line is found while the log can still be mended. Mending it later
 * would change the fingerprint, and with it every id.
 */
export async function inspectLog(file: string): Promise<LogSummary> {
  const hash = createHash('sha256')
  const contentIds = new Set<string>()
  let impressions = 0
  let clicks = 0
  for await (const impression of readLog(file, hash)) {
    impressions++
    if (impression.clicked) clicks++
    contentIds.add(impression.contentId)
  }
  return { fingerprint: hash.digest('hex'), impressions, clicks, contentIds }
}

/** Reads the features of each item, by content id. */
export async function readItems(file: string): Promise<Map<string, Record<string, string>>> {
  const items = new Map<string, Record<string, string>>()
  for await (const { fields } of readTable(linesOf(chunksOf(file)), ITEM_COLUMNS, file))
    items.set(contentIdOf(fields.item_id ?? ''), fields)
  return items
}

async function columnsOf(file: string): Promise<string[]> {
  for await (const line of linesOf(chunksOf(file))) return line.split(',')
  return []
}

async function* chunksOf(file: string, hash?: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(file)) {
    hash?.update(chunk)
    yield chunk
  }
}
