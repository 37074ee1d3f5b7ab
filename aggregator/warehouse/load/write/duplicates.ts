import { keyText, type Row, type RowKey } from '../../rows/row.js'
import type { RecentKeys } from './recent-keys.js'

/**
 * Difference that the corrected times of two sends of one message may have, and the clocks of two collectors, in
 * milliseconds. A message that happened later than the start of the covered time plus this was not sent before it.
 */
const SLACK_MS = 5 * 60_000

export interface Unique {
  rows: Row[]
  /** Rows left out because the same message is in this block already. */
  inBlock: number
  /** Rows left out because the table has the message. */
  inTable: number
  lookedUp: number
}

/**
 * Leaves out rows whose message is in the table already, or earlier in the block. `find` is asked once, for the keys
 * that are in the recent set or that it can't know; it must not find the rows of this very block, so that a block
 * done again yields the same rows.
 */
export async function withoutDuplicates(
  rows: Row[],
  recent: RecentKeys,
  find: (keys: RowKey[]) => Promise<Set<string>>,
): Promise<Unique> {
  const seen = new Set<string>()
  const first: { row: Row; texts: string[] }[] = []
  const doubtful: RowKey[] = []
  let inBlock = 0
  for (const row of rows) {
    if (!row.key) {
      first.push({ row, texts: [] })
      continue
    }
    const keys = keysOf(row.key)
    const texts = keys.map(keyText)
    if (texts.some(text => seen.has(text))) {
      inBlock++
      continue
    }
    first.push({ row, texts })
    seen.add(texts[0]!)
    if (texts.some(recent.has) || !isCovered(row.key, recent.coveredSince)) doubtful.push(...keys)
  }
  const stored = doubtful.length > 0 ? await find(doubtful) : new Set<string>()
  const fresh = stored.size === 0 ? first : first.filter(({ texts }) => !texts.some(text => stored.has(text)))
  return {
    rows: fresh.map(({ row }) => row),
    inBlock,
    inTable: first.length - fresh.length,
    lookedUp: doubtful.length,
  }
}

/** Returns the keys by which a message may be in the table. */
function keysOf(key: RowKey): RowKey[] {
  return key.formerId === undefined ? [key] : [key, { ...key, id: key.formerId }]
}

/** Returns whether every earlier send of the message would be in the recent set. */
function isCovered(key: RowKey, coveredSince: number): boolean {
  return key.happened !== undefined && Date.parse(key.happened) >= coveredSince + SLACK_MS
}
