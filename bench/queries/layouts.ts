/** A way to lay out `events` on the disk, to be compared with the one in use. */
export interface Layout {
  name: string
  partitionBy: string
  orderBy: string
  /** Changes of the table that is so made: what follows ALTER TABLE. */
  alter?: string
}

const IN_USE: Layout = {
  name: 'in use',
  partitionBy: 'toYYYYMM(received_at)',
  orderBy: '(site_id, original_timestamp, message_id)',
}

const COMPRESSED = 'message_id anonymous_id session_id page_view_id content_id properties traits context'.split(' ')

/** The first one is the baseline. Each differs from it in one thing. */
export const LAYOUTS: Layout[] = [
  IN_USE,
  { ...IN_USE, name: 'LZ4', alter: COMPRESSED.map(column => `MODIFY COLUMN ${column} CODEC(LZ4)`).join(', ') },
  { ...IN_USE, name: 'by event', orderBy: '(site_id, event, original_timestamp, message_id)' },
  {
    ...IN_USE,
    name: 'by day, event',
    orderBy: '(site_id, toDate(original_timestamp), event, original_timestamp, message_id)',
  },
  { ...IN_USE, name: 'by visitor', orderBy: '(site_id, anonymous_id, original_timestamp, message_id)' },
  { ...IN_USE, name: 'weekly parts', partitionBy: 'toMonday(received_at)' },
  {
    ...IN_USE,
    name: 'projection',
    alter: 'ADD PROJECTION of_visitor (SELECT * ORDER BY site_id, anonymous_id, original_timestamp)',
  },
  { ...IN_USE, name: 'no visitor index', alter: 'DROP INDEX by_anonymous_id' },
]

/** Makes an empty table of the columns and indices of `events` in another layout. */
export function createStatements(table: string, { partitionBy, orderBy, alter }: Layout): string[] {
  return [
    `CREATE TABLE ${table} AS slotstream.events ENGINE = MergeTree PARTITION BY ${partitionBy} ORDER BY ${orderBy}`,
    ...(alter ? [`ALTER TABLE ${table} ${alter}`] : []),
  ]
}
