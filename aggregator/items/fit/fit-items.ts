import type { ClickHouseClient } from '@clickhouse/client'
import {
  addToGram,
  covisitationModel,
  easeModel,
  emptyGram,
  type Gram,
  type ItemModel,
  type ItemPolicy,
  knnModel,
} from '@slotstream/core'
import { toChunks } from '../stored/packed-items.js'
import { readBrowsers, readFrequentItems } from './read-items.js'

/** Age of interactions that still count, in milliseconds. */
const COUNTED_MS = 90 * 24 * 3_600_000

const FITS: Record<ItemPolicy, (gram: Gram) => ItemModel> = {
  covisitation: covisitationModel,
  knn: knnModel,
  ease: easeModel,
}

/** A site whose matrices are fitted. */
export interface FitRequest {
  siteId: string
  /** Policies that rank by a matrix, one at least. */
  policies: readonly ItemPolicy[]
  /** Milliseconds since the epoch. */
  now: number
  /** Ids of the site's contents: they come before other items. Default: none */
  contentIds?: readonly string[]
  /** True if visitors who seem to be programs count. Default: false */
  includesBots?: boolean
}

/** Matrices of a site's items, packed for the store. */
export interface FittedItems {
  /** Browsers that had to do with one of the items. */
  browsers: number
  items: number
  /** Chunks of each policy's matrix. None without items */
  chunks: [ItemPolicy, Uint8Array[]][]
}

/** Counts what the browsers of a site had to do with, and fits the matrix of each policy. */
export async function fitItems(
  clickhouse: ClickHouseClient,
  { siteId, policies, now, contentIds = [], includesBots = false }: FitRequest,
): Promise<FittedItems> {
  const itemsQuery = { siteId, since: now - COUNTED_MS, includesBots }
  const { ids, rows } = await readFrequentItems(clickhouse, itemsQuery, new Set(contentIds))
  const gram = emptyGram(ids)
  let browsers = 0
  if (ids.size > 0)
    for await (const items of readBrowsers(clickhouse, itemsQuery, rows)) {
      const numbers = items.flatMap(item => ids.get(item) ?? [])
      if (numbers.length === 0) continue
      addToGram(gram, numbers)
      browsers++
    }
  const fitted: FittedItems = { browsers, items: ids.size, chunks: [] }
  // One after the other: each takes as much memory as the counts.
  if (ids.size > 0) for (const policy of policies) fitted.chunks.push([policy, await toChunks(FITS[policy](gram))])
  return fitted
}
