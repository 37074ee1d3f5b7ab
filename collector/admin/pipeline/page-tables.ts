import type { PipelineStatus } from './merge.js'

/** A table of the page; without rows it is left out. */
export interface PageTable {
  title: string
  head: string[]
  rows: (string | number)[][]
}

/** Lists the tables of the page, in their order. */
export function tablesOf(status: PipelineStatus): PageTable[] {
  return [...behindTables(status), ...busiestTables(status), ...warehouseTables(status), ...streamTables(status)]
}

/** Makes a table of a list: a column for each function, under the function's name. */
function table<T>(title: string, list: readonly T[], columns: Record<string, (row: T) => string | number>): PageTable {
  const cells = Object.values(columns)
  return { title, head: Object.keys(columns), rows: list.map(row => cells.map(cell => cell(row))) }
}

function behindTables({ behind, troubles, lags }: PipelineStatus): PageTable[] {
  return [
    table('Behind', behind, {
      role: b => b.role,
      messages: b => b.messages,
      'oldest, s': b => b.seconds,
      partitions: b => b.partitions || '',
    }),
    table('Failing', troubles, {
      role: t => t.role,
      what: t => t.what,
      since: t => t.since,
      attempts: t => t.attempts,
      reason: t => t.reason,
    }),
    table(
      'Behind, by partition',
      lags.filter(lag => lag.messages > 0),
      {
        role: l => l.role,
        stream: l => l.stream,
        partition: l => l.partition ?? 'all',
        messages: l => l.messages,
        'oldest, s': l => l.seconds,
      },
    ),
  ]
}

function busiestTables({ skew }: PipelineStatus): PageTable[] {
  return [
    table(`Busiest partitions of the last ${skew.windowSeconds} s`, skew.partitions.slice(0, 5), {
      partition: p => p.partition,
      messages: p => p.messages,
      share: p => share(p.share),
    }),
    table(`Busiest visitors of the last ${skew.windowSeconds} s`, skew.keys, {
      site: k => k.siteId,
      visitor: k => k.visitorId,
      messages: k => k.messages,
      'share at least': k => share(k.share),
    }),
  ]
}

function warehouseTables({ warehouse, tables }: PipelineStatus): PageTable[] {
  return [
    table('Warehouse', warehouse, {
      stream: w => w.stream,
      position: w => w.position,
      inserts: w => w.inserts,
      rows: w => w.rows,
      'rows per insert': w => w.rowsPerInsert,
      's per insert': w => w.secondsPerInsert,
      duplicates: w => w.duplicates,
      failures: w => w.failures,
      'rows rejected': w => w.refused,
      takeovers: w => w.takeovers,
    }),
    table('Tables in ClickHouse', tables, {
      table: t => t.table,
      parts: t => t.parts,
      'most in a partition': t => t.mostInPartition,
      rows: t => t.rows,
      bytes: t => t.bytes,
    }),
  ]
}

function streamTables({ counts, streams, processes }: PipelineStatus): PageTable[] {
  return [
    { title: 'Counts', head: ['what', 'number'], rows: countRows(counts) },
    table('Streams', streams, {
      stream: s => s.name,
      messages: s => s.messages,
      bytes: s => s.bytes,
      first: s => s.firstAt ?? '',
      last: s => s.lastAt ?? '',
      'keeps, s': s => s.maxAgeSeconds ?? '',
      'most bytes': s => s.maxBytes ?? '',
      'most messages': s => s.maxMessages ?? '',
      full: s => (s.full === null ? '' : share(s.full)),
      consumers: s => s.consumers,
      replicas: s => s.replicas,
    }),
    table('Processes', processes, {
      part: p => p.part,
      id: p => p.id,
      version: p => p.version,
      'up, s': p => p.uptimeSeconds,
      roles: p => p.roles.join(', '),
    }),
  ]
}

function countRows(counts: PipelineStatus['counts']): (string | number)[][] {
  return [
    ['messages accepted', counts.accepted],
    ...Object.entries(counts.rejected).map(([code, number]) => [`rejected: ${code}`, number]),
    ['dead letters waiting', counts.deadLettersWaiting],
    ['dead letters made', counts.deadLetters],
    ['messages read again', counts.replayed],
    ['duplicates dropped by the broker', counts.duplicates.broker],
    ['duplicates left out by the warehouse', counts.duplicates.warehouse],
    ['requests the stream did not store', counts.publishFailures],
    ...Object.entries(counts.decisions).map(([outcome, number]) => [`decisions: ${outcome}`, number]),
    ...Object.entries(counts.signals).map(([signal, number]) => [`signals: ${signal}`, number]),
  ]
}

function share(value: number): string {
  return `${(value * 100).toFixed(1)} %`
}
