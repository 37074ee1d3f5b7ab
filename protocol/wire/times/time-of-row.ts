/** Returns a time that ClickHouse writes, in UTC and without a zone (`2026-01-31 12:00:00.000`), as ISO 8601 has it. */
export function timeOfRow(text: string): string {
  return `${text.replace(' ', 'T')}Z`
}
