import type { ClickHouseClient } from '@clickhouse/client'
import { allIdsOf, belongsTo, namedInText, type Person, visitorsOf } from '@slotstream/protocol'
import { hasNumbers, mayName, ODD_NUMBERS, textsOf } from '../find/matches-text.js'
import type { PersonTable } from '../find/places.js'
import type { Whose } from './strip.js'

/** Ids in one query: its parameters stay below 256 KB, and the texts to search for below 255. */
const IDS_AT_ONCE = 100

/** Places in one statement that deletes. */
const PLACES_AT_ONCE = 4_000

/** A row's place in its table: two whole numbers, which name no person. */
export type RowPlace = readonly [string, string]

/** A row of a person, with its place. */
export interface FoundRow {
  place: RowPlace
  row: Record<string, unknown>
}

/** Splits a person into portions whose ids fit into one query. Pure. */
export function portionsOf(person: Person): Person[] {
  const portions: Person[] = []
  const none = { siteId: person.siteId, userIds: [], browsers: [], anonymousIds: [] }
  for (const kind of ['userIds', 'browsers', 'anonymousIds'] as const)
    for (let first = 0; first < person[kind].length; first += IDS_AT_ONCE)
      portions.push({ ...none, [kind]: person[kind].slice(first, first + IDS_AT_ONCE) })
  return portions
}

/**
 * Returns the condition for rows that belong to a person, or may do so where only a look at the text can tell, and its
 * parameters. Pure.
 */
export function conditionOf(table: PersonTable, { person, before }: Whose): { sql: string; params: object } {
  const { by, columns, time } = table
  const params = { siteId: person.siteId, before }
  const common = `site_id = {siteId:String} AND ${time} <= fromUnixTimestamp64Milli({before:Int64}, 'UTC')`
  if (by === 'visitor')
    return {
      sql: `${common} AND (visitor_id IN {visitors:Array(String)} OR ${columns.userId} IN {users:Array(String)})`,
      params: { ...params, visitors: visitorsOf(person), users: person.userIds },
    }
  if (by === 'payload')
    return {
      sql: `${common} AND (multiSearchAny(payload, {texts:Array(String)}) OR position(payload, '\\\\') > 0
            OR match(payload, {odd:String}))`,
      params: { ...params, texts: textsOf(person), odd: hasNumbers(person) ? ODD_NUMBERS : '^$' },
    }
  if (by === 'session')
    return {
      sql: `${common} AND (hasAny(${columns.userId}, {users:Array(String)}) OR ${columns.anonymousId} IN {anonymous:Array(String)}
            OR hasAny(${columns.previousId}, {all:Array(String)}) OR (has_unnamed AND ${columns.anonymousId} IN {browsers:Array(String)}))`,
      params: {
        ...params,
        users: person.userIds,
        anonymous: person.anonymousIds,
        browsers: person.browsers,
        all: allIdsOf(person),
      },
    }
  const { anonymousId, userId, previousId } = columns
  const named = [
    `${userId} IN {users:Array(String)}`,
    `${anonymousId} IN {anonymous:Array(String)}`,
    `(${userId} = '' AND ${anonymousId} IN {browsers:Array(String)})`,
    ...(previousId ? [`${previousId} IN {all:Array(String)}`] : []),
  ]
  return {
    sql: `${common} AND (${named.join(' OR ')})`,
    params: {
      ...params,
      users: person.userIds,
      anonymous: person.anonymousIds,
      browsers: person.browsers,
      ...(previousId && { all: allIdsOf(person) }),
    },
  }
}

/**
 * Finds the rows of a person in a table, or in another one of the same columns. They come as they are read.
 *
 * @param columns what of a row is wanted beside its place. Default: what is needed to tell whose it is
 * @param signal ends it; it throws. Default: nothing does
 */
export async function* findRows(
  clickhouse: ClickHouseClient,
  table: PersonTable,
  name: string,
  whose: Whose,
  columns = table.by === 'payload' ? 'payload' : '',
  signal?: AbortSignal,
): AsyncGenerator<FoundRow> {
  const [first, second] = table.place
  const selected = [`toString(${first}) AS place_1`, `toString(${second}) AS place_2`, ...(columns ? [columns] : [])]
  for (const person of portionsOf(whose.person)) {
    const { sql, params } = conditionOf(table, { ...whose, person })
    const result = await clickhouse.query({
      query: `SELECT ${selected.join(', ')} FROM ${name} WHERE ${sql}`,
      query_params: params as Record<string, unknown>,
      use_multipart_params_auto: true,
      format: 'JSONEachRow',
      ...(signal && { abort_signal: signal }),
    })
    const may = mayName(person)
    for await (const rows of result.stream<Record<string, string>>())
      for (const each of rows) {
        const { place_1: place1 = '', place_2: place2 = '', ...row } = each.json() as Record<string, string>
        if (table.by === 'payload' && !isPayloadOf(String(row.payload), whose.person, may)) continue
        yield { place: [place1, place2], row }
      }
  }
}

function isPayloadOf(payload: string, person: Person, may: (text: string) => boolean): boolean {
  return may(payload) && namedInText(payload).some(named => belongsTo(person, named))
}

/**
 * Deletes rows by their places: the statement, which ClickHouse keeps for a while, names no person. Resolves when all
 * replicas are done. Rewrites the parts that have such rows.
 */
export async function deleteRows(
  clickhouse: ClickHouseClient,
  table: PersonTable,
  name: string,
  places: RowPlace[],
  ddl: (sql: string) => string,
): Promise<void> {
  for (let first = 0; first < places.length; first += PLACES_AT_ONCE) {
    const list = places.slice(first, first + PLACES_AT_ONCE).map(([place1, place2]) => `(${place1}, ${place2})`)
    const condition = `(${table.place.join(', ')}) IN (${list.join(', ')})`
    await clickhouse.command({
      query: ddl(`ALTER TABLE ${name} DELETE WHERE ${condition} SETTINGS mutations_sync = 2`),
    })
  }
}
