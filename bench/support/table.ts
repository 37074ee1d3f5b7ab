/** Returns a Markdown table: the first column aligned left, the others, which hold numbers, right. */
export function markdownTable(header: string[], rows: string[][]): string {
  const widths = header.map((title, column) => Math.max(3, title.length, ...rows.map(row => row[column]?.length ?? 0)))
  const line = (cells: string[]) =>
    `| ${widths.map((width, column) => pad(cells[column] ?? '', width, column)).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? `${'-'.repeat(width + 2)}` : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(header), rule, ...rows.map(line)].join('\n')
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

/** Returns a whole number with commas: 12,345. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** Returns milliseconds with as many digits as mean something: 0.42, 8.1, 1,204. */
export function milliseconds(value: number): string {
  if (Number.isNaN(value)) return 'none'
  if (value >= 100) return whole(value)
  return value.toFixed(value >= 10 ? 1 : 2)
}
