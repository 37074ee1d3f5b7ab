import type { PipelineStatus } from './merge.js'
import type { Warning } from './warnings.js'

/** The status as a page to read: tables, no scripts. Everything is escaped: ids come from clients. */
export function statusPage(status: PipelineStatus, warnings: Warning[]): string {
  const { counts, skew } = status
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Slotstream pipeline</title><style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color: #1c2430; }
table { border-collapse: collapse; margin: .4rem 0 1.6rem; }
th, td { border-bottom: 1px solid #d5dae1; padding: .2rem .8rem .2rem 0; text-align: left; font-variant-numeric: tabular-nums; }
.warnings li { margin: .3rem 0; } .warnings b { color: #a32020; }
</style></head><body>
<h1>Pipeline</h1><p>As of ${escaped(status.at)}. Counters count since each process started.</p>
${warningList(warnings)}
${table(
  'Behind',
  ['role', 'messages', 'oldest, s', 'partitions'],
  status.behind.map(b => [b.role, b.messages, b.seconds, b.partitions || '']),
)}
${table(
  'Failing',
  ['role', 'what', 'since', 'attempts', 'reason'],
  status.troubles.map(t => [t.role, t.what, t.since, t.attempts, t.reason]),
)}
${table(
  'Behind, by partition',
  ['role', 'stream', 'partition', 'messages', 'oldest, s'],
  status.lags.filter(lag => lag.messages > 0).map(l => [l.role, l.stream, l.partition ?? 'all', l.messages, l.seconds]),
)}
${table(
  `Busiest partitions of the last ${skew.windowSeconds} s`,
  ['partition', 'messages', 'share'],
  skew.partitions.slice(0, 5).map(p => [p.partition, p.messages, share(p.share)]),
)}
${table(
  `Busiest visitors of the last ${skew.windowSeconds} s`,
  ['site', 'visitor', 'messages', 'share at least'],
  skew.keys.map(k => [k.siteId, k.visitorId, k.messages, share(k.share)]),
)}
${table(
  'Warehouse',
  [
    'stream',
    'position',
    'inserts',
    'rows',
    'rows per insert',
    's per insert',
    'duplicates',
    'failures',
    'rows refused',
    'takeovers',
  ],
  status.warehouse.map(w => [
    w.stream,
    w.position,
    w.inserts,
    w.rows,
    w.rowsPerInsert,
    w.secondsPerInsert,
    w.duplicates,
    w.failures,
    w.refused,
    w.takeovers,
  ]),
)}
${table(
  'Tables in ClickHouse',
  ['table', 'parts', 'most in a partition', 'rows', 'bytes'],
  status.tables.map(t => [t.table, t.parts, t.mostInPartition, t.rows, t.bytes]),
)}
${table(
  'Counts',
  ['what', 'number'],
  [
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
  ],
)}
${table(
  'Streams',
  [
    'stream',
    'messages',
    'bytes',
    'first',
    'last',
    'keeps, s',
    'most bytes',
    'most messages',
    'full',
    'consumers',
    'replicas',
  ],
  status.streams.map(s => [
    s.name,
    s.messages,
    s.bytes,
    s.firstAt ?? '',
    s.lastAt ?? '',
    s.maxAgeSeconds ?? '',
    s.maxBytes ?? '',
    s.maxMessages ?? '',
    s.full === null ? '' : share(s.full),
    s.consumers,
    s.replicas,
  ]),
)}
${table(
  'Processes',
  ['part', 'id', 'version', 'up, s', 'roles'],
  status.processes.map(p => [p.part, p.id, p.version, p.uptimeSeconds, p.roles.join(', ')]),
)}
</body></html>`
}

function warningList(warnings: Warning[]): string {
  if (warnings.length === 0) return '<p>Nothing to warn of.</p>'
  const items = warnings.map(({ what, todo }) => `<li><b>${escaped(what)}</b><br>${escaped(todo)}</li>`)
  return `<ul class="warnings">${items.join('')}</ul>`
}

function table(title: string, head: string[], rows: (string | number)[][]): string {
  if (rows.length === 0) return ''
  const cells = (tag: string, row: (string | number)[]) =>
    `<tr>${row.map(cell => `<${tag}>${escaped(wording(cell))}</${tag}>`).join('')}</tr>`
  return `<h2>${escaped(title)}</h2><table>${cells('th', head)}${rows.map(row => cells('td', row)).join('')}</table>`
}

function wording(cell: string | number): string {
  if (typeof cell === 'string') return cell
  return Number.isInteger(cell) ? cell.toLocaleString('en') : cell.toFixed(3)
}

function share(value: number): string {
  return `${(value * 100).toFixed(1)} %`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
