import type { PipelineStatus } from './merge.js'
import { type PageTable, tablesOf } from './page-tables.js'
import type { Warning } from './warnings.js'

/** Writes the status as a page to read: tables, no scripts. Everything is escaped: ids come from clients. */
export function statusPage(status: PipelineStatus, warnings: Warning[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Slotstream pipeline</title><style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color: #1c2430; }
table { border-collapse: collapse; margin: .4rem 0 1.6rem; }
th, td { border-bottom: 1px solid #d5dae1; padding: .2rem .8rem .2rem 0; text-align: left; font-variant-numeric: tabular-nums; }
.warnings li { margin: .3rem 0; } .warnings b { color: #a32020; }
</style></head><body>
<h1>Pipeline</h1><p>As of ${escaped(status.at)}. Counters count since each process started.</p>
${warningList(warnings)}
${tablesOf(status).map(tableText).join('\n')}
</body></html>`
}

function warningList(warnings: Warning[]): string {
  if (warnings.length === 0) return '<p>Nothing to warn of.</p>'
  const items = warnings.map(({ what, todo }) => `<li><b>${escaped(what)}</b><br>${escaped(todo)}</li>`)
  return `<ul class="warnings">${items.join('')}</ul>`
}

function tableText({ title, head, rows }: PageTable): string {
  if (rows.length === 0) return ''
  const cells = (tag: string, row: (string | number)[]) =>
    `<tr>${row.map(cell => `<${tag}>${escaped(wording(cell))}</${tag}>`).join('')}</tr>`
  return `<h2>${escaped(title)}</h2><table>${cells('th', head)}${rows.map(row => cells('td', row)).join('')}</table>`
}

function wording(cell: string | number): string {
  if (typeof cell === 'string') return cell
  return Number.isInteger(cell) ? cell.toLocaleString('en') : cell.toFixed(3)
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
