import type { SignalRecord } from '@slotstream/protocol'

interface SignalRow {
  id: string
  signal: string
  message: string
  visitor: string
  session: string
  details: string
}

/**
 * Compares the rows of `signals` with what the stream gives: each signal once, as it was detected, and no other.
 * Returns what is wrong, one line each.
 *
 * @param query asks ClickHouse
 * @param detected in the order of the stream. A message that comes again long after the first time may be told again:
 *   any of the equal ids counts
 */
export async function wrongSignals(
  query: <Row>(sql: string) => Promise<Row[]>,
  detected: SignalRecord[],
): Promise<string[]> {
  const expected = new Map<string, Set<string>>()
  for (const signal of detected)
    expected.set(signal.signalId, (expected.get(signal.signalId) ?? new Set()).add(textOf(rowOf(signal))))
  const rows = await query<SignalRow>(
    `SELECT signal_id AS id, signal, message_id AS message, anonymous_id AS visitor, session_id AS session,
       toString(details) AS details FROM slotstream.signals`,
  )
  const known = new Map<string, number>()
  for (const { id } of rows) known.set(id, (known.get(id) ?? 0) + 1)
  const ids = [...known.keys()]
  const wrong: [string, string[]][] = [
    ['missing', [...expected.keys()].filter(id => !known.has(id))],
    ['there more than once', ids.filter(id => known.get(id) !== 1)],
    ['there that the stream does not give', ids.filter(id => !expected.has(id))],
    ['other than detected', rows.filter(row => !(expected.get(row.id)?.has(textOf(row)) ?? true)).map(textOf)],
  ]
  return wrong.flatMap(([what, found]) =>
    found.length > 0 ? [`${found.length} of ${expected.size} signals ${what}: ${found.slice(0, 3).join(', ')}`] : [],
  )
}

function rowOf({ signalId, signal, messageId, anonymousId, sessionId, details }: SignalRecord): SignalRow {
  return {
    id: signalId,
    signal,
    message: messageId,
    visitor: anonymousId,
    session: sessionId,
    details: JSON.stringify(details),
  }
}

/** The details in the order of their keys, every value as text: ClickHouse may quote numbers. */
function textOf({ details, ...row }: SignalRow): string {
  const entries = Object.entries(JSON.parse(details) as object).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([...Object.values(row), ...entries.map(([key, value]) => [key, String(value)])])
}
