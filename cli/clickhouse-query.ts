import type { clickHouseSettings } from '@slotstream/sources'
import { CommandError } from '@slotstream/tracking-plan'

/** Where ClickHouse is, and who asks. */
export type ClickHouseAddress = ReturnType<typeof clickHouseSettings>

/** How long a query may take, in milliseconds. */
const QUERY_TIMEOUT_MS = 300_000

/** Largest part of an answer that is no whole line, in characters: beyond it, it is none of lines. */
const MAX_LINE = 16 * 2 ** 20

/**
 * Asks ClickHouse, with values as parameters that never become part of the query's text, and reads the answer as it
 * comes.
 *
 * @param settings of the query. Default: those of the server
 * @throws CommandError
 */
export async function* queryClickHouse(
  query: string,
  params: Record<string, string>,
  { url, user, password = '' }: ClickHouseAddress,
  settings: Record<string, string> = {},
): AsyncGenerator<Uint8Array> {
  const address = new URL(url)
  for (const [name, value] of Object.entries(params)) address.searchParams.set(`param_${name}`, escaped(value))
  for (const [name, value] of Object.entries(settings)) address.searchParams.set(name, value)
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: user ? { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password } : {},
      body: query,
      signal: AbortSignal.timeout(QUERY_TIMEOUT_MS),
    })
    if (!response.ok)
      throw new CommandError(
        `ClickHouse at ${url} answered ${response.status}: ${(await response.text()).slice(0, 300)}`,
      )
    if (response.body) yield* response.body
  } catch (error) {
    if (error instanceof CommandError) throw error
    const { message, cause } = error as Error & { cause?: Error }
    throw new CommandError(`no answer from ClickHouse at ${url} (${cause?.message ?? message}). See CLICKHOUSE_URL`)
  }
}

/** Reads the answer to a query line by line. */
export async function* linesOf(...query: Parameters<typeof queryClickHouse>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of queryClickHouse(...query)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE)
      throw new CommandError(`a line of ClickHouse's answer is longer than ${MAX_LINE} characters`)
    yield* lines.filter(line => line !== '')
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

/** Reads a value: values are read as TSV is. */
function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/\t/g, '\\t').replace(/\n/g, '\\n')
}
