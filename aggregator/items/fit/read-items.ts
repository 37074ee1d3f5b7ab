import type { ClickHouseClient } from '@clickhouse/client'
import { MAX_ITEMS_PER_BROWSER } from '@slotstream/core'
import { MAX_NAME_LENGTH } from '@slotstream/protocol'
import { programsSql } from '../../clickhouse/programs.js'
import { type CountedItem, chooseItems } from './choose-items.js'

/** Items that are looked at, those that most browsers had to do with first: many more than a matrix is for. */
const MAX_COUNTED_ITEMS = 100_000

/** Interactions that ClickHouse groups by browser at a time: it holds no more of them in memory. */
const ROWS_A_PART = 2_000_000

/** Parts that are read, at most: each reads the rows of all. Of more, those are a sample of the browsers. */
const MAX_PARTS = 10

/** One product of an order, by what `product.id` reads of other messages: numbers are taken as text. */
const PRODUCT_OF_ORDER = `multiIf(
  JSONType(product, 'product_id') = 'String', JSONExtractString(product, 'product_id'),
  JSONType(product, 'product_id') != 'Null', JSONExtractRaw(product, 'product_id'),
  JSONType(product, 'sku') = 'String', JSONExtractString(product, 'sku'),
  JSONExtractRaw(product, 'sku'))`

const PERIOD = 'timestamp >= fromUnixTimestamp64Milli({since:Int64})'

/**
 * Interactions of browsers, one row each: the products and content of the features `recent_products` and
 * `recent_content`, which are a person's items when a slot is decided, and the products of orders. Without programs,
 * unless the site wants them.
 */
const INTERACTIONS = `(
  SELECT browser, at, arrayJoin(items) AS item FROM (
    SELECT
      anonymous_id AS browser, timestamp AS at,
      multiIf(
        event = 'Slot Clicked', [content_id],
        event = 'Order Completed', arrayMap(product -> ${PRODUCT_OF_ORDER},
          JSONExtractArrayRaw(ifNull(toJSONString(properties.products), '[]'))),
        [ifNull(if(isNull(properties.product_id), toString(properties.sku),
          toString(properties.product_id)), '')]) AS items
    FROM slotstream.events
    WHERE site_id = {site:String} AND type = 'track' AND anonymous_id != ''
      AND event IN ('Product Viewed', 'Product Added', 'Order Completed', 'Slot Clicked')
      AND ${PERIOD} AND ({bots:Bool} OR anonymous_id NOT IN ${programsSql(PERIOD)})
  )
  WHERE item != '' AND lengthUTF8(item) <= ${MAX_NAME_LENGTH}
)`

/** A site, and since when interactions count, in milliseconds since the epoch. */
export interface ItemsQuery {
  siteId: string
  since: number
  /** True if visitors who seem to be programs count. Default: false */
  includesBots?: boolean
}

function paramsOf({ siteId, since, includesBots = false }: ItemsQuery) {
  return { site: siteId, since, bots: includesBots }
}

/**
 * Items of the catalog, then others, that most browsers had to do with: of equally frequent ones, the smaller ids
 * first.
 */
export interface FrequentItems {
  /** Number of each item. */
  ids: Map<string, number>
  /** Interactions with all items. */
  rows: number
}

/**
 * Finds the items that a model is fitted for, `MAX_MODEL_ITEMS` at most: see `chooseItems`.
 *
 * @param catalog ids of the site's contents. Default: none
 */
export async function readFrequentItems(
  clickhouse: ClickHouseClient,
  query: ItemsQuery,
  catalog: ReadonlySet<string> = new Set(),
): Promise<FrequentItems> {
  const result = await clickhouse.query({
    query: `SELECT item, toUInt32(uniq(browser)) AS browsers, sum(count()) OVER () AS rows FROM ${INTERACTIONS}
            GROUP BY item ORDER BY browsers DESC, item LIMIT ${MAX_COUNTED_ITEMS}`,
    query_params: paramsOf(query),
    format: 'JSONEachRow',
  })
  const counted = await result.json<CountedItem & { rows: string }>()
  return { ids: chooseItems(counted, catalog), rows: Number(counted[0]?.rows ?? 0) }
}

/**
 * Yields the items of each browser, its newest `MAX_ITEMS_PER_BROWSER`, without repeats; of a sample of the browsers
 * where there are more interactions than `MAX_PARTS` parts have.
 *
 * @param rows about as many interactions as there are
 * @param rowsAPart that are grouped at a time
 */
export async function* readBrowsers(
  clickhouse: ClickHouseClient,
  query: ItemsQuery,
  rows: number,
  rowsAPart = ROWS_A_PART,
): AsyncGenerator<string[]> {
  const parts = Math.max(1, Math.ceil(rows / rowsAPart))
  for (let part = 0; part < Math.min(parts, MAX_PARTS); part++) {
    const result = await clickhouse.query({
      query: `SELECT groupArray(item) FROM (
                SELECT browser, item FROM ${INTERACTIONS}
                WHERE sipHash64(browser) % {parts:UInt32} = {part:UInt32}
                GROUP BY browser, item ORDER BY max(at) DESC, item LIMIT ${MAX_ITEMS_PER_BROWSER} BY browser
              ) GROUP BY browser`,
      query_params: { ...paramsOf(query), parts, part },
      format: 'JSONCompactEachRow',
    })
    for await (const browsers of result.stream<[string[]]>()) for (const row of browsers) yield row.json()[0]
  }
}
