import type { NumberedLetter } from './letters.js'

/** Longest error in a line of the list, in characters. */
const MAX_ERROR = 80

/** Returns the letters as a table of text, a line each. */
export function listOf(letters: NumberedLetter[]): string {
  if (letters.length === 0) return 'There are no dead letters.'
  const rows = letters.map(({ number, failedAt, role, stream, seq, attempts, version, error }) => [
    String(number),
    failedAt,
    role,
    `${stream}/${seq}`,
    String(attempts),
    version,
    oneLine(error),
  ])
  return table([['NUMBER', 'GIVEN UP AT', 'ROLE', 'MESSAGE', 'TRIES', 'VERSION', 'ERROR'], ...rows])
}

/** Returns all of a letter. Its payload is what a client sent: control characters are shown as escapes. */
export function pageOf({ payload, encoding, ...facts }: NumberedLetter): string {
  const lines = Object.entries(facts).map(([name, value]) => `${name.padEnd(9)} ${printable(String(value))}`)
  const body = encoding === 'none' ? '(not in the letter: too large, or gone from its stream)' : printable(payload)
  return [...lines, `payload   ${encoding === 'base64' ? '(Base64) ' : ''}${body}`].join('\n')
}

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function oneLine(text: string): string {
  const line = printable(text.replace(/\s+/g, ' '))
  return line.length > MAX_ERROR ? `${line.slice(0, MAX_ERROR - 1)}…` : line
}

/** Replaces control characters, which a terminal would interpret. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
