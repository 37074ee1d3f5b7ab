import { readFileSync } from 'node:fs'
import type { StoredMessage } from '@slotstream/protocol'
import { messageAt } from '../core/features/some-features.js'

/** Reads a page of the documentation. */
export function readPage(name: string): string {
  return readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
}

/** Returns the rows of the tables under a heading that begin with code, cell by cell. */
export function rowsUnder(page: string, heading: string): string[][] {
  const section = page.split(/^##+ /mu).find(text => text.startsWith(`${heading}\n`))!
  const rows = section.split('\n').filter(line => line.startsWith('| `'))
  return rows.map(line => line.split(' | ').map(cell => cell.replaceAll(/^\| | \|$/g, '')))
}

/** Returns what a cell has as code. */
export function code(cell: string): string[] {
  return [...cell.matchAll(/`([^`]*)`/g)].map(match => match[1]!)
}

const MESSAGE =
  /^(?:(\d\d-\d\d) )?(\d\d:\d\d(?::\d\d)?) ([^{/×]+?)(?: (\{.*?\}))?(?: \/ (\{.*\}))?(?: × (\d+) every (\d+)(ms|s|m))?$/

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000 }

/**
 * Reads messages as the tables write them: time, event, properties, context; `× 3 every 2m` is three of them, two
 * minutes apart, in whose properties `#` is their number.
 */
export function parseMessages(cell: string): StoredMessage[] {
  return code(cell).flatMap(text => {
    const [, day = '11-02', time, event, properties, context, times = '1', every = '0', unit = 's'] =
      MESSAGE.exec(text)!
    const begin = Date.parse(`2026-${day}T${time}Z`)
    return Array.from({ length: Number(times) }, (_, n) =>
      messageAt(
        begin + n * Number(every) * UNITS[unit]!,
        event!,
        properties && JSON.parse(properties.replaceAll('#', String(n + 1))),
        context && JSON.parse(context),
      ),
    )
  })
}
