import { clickHouseUrl, type Environment, secretSetting, textSetting } from '@slotstream/runtime/settings'
import { ReplayError } from '../errors.js'

/** How long a query may take, in milliseconds. */
const QUERY_TIMEOUT_MS = 120_000

export interface ClickHouseOptions {
  url: string
  /** Without a user, the embedded server reads. */
  user?: string | undefined
  password?: string | undefined
  fetch?: typeof globalThis.fetch
}

/** Reads from ClickHouse over HTTP. */
export interface ClickHouse {
  /**
   * @param params values of the query's `{name:Type}`, which never become part of its text
   * @throws ReplayError
   */
  rows<Row>(sql: string, params: Record<string, string | number>): Promise<Row[]>
}

/** Opens ClickHouse by its HTTP interface. */
export function openClickHouse({ url, user, password = '', fetch = globalThis.fetch }: ClickHouseOptions): ClickHouse {
  return {
    async rows<Row>(sql: string, params: Record<string, string | number>) {
      // As a form: the address would become too long for many ids.
      const form = new FormData()
      for (const [name, value] of Object.entries(params)) form.set(`param_${name}`, escaped(String(value)))
      const address = new URL(url)
      address.searchParams.set('query', `${sql} FORMAT JSONEachRow`)
      address.searchParams.set('output_format_json_quote_64bit_integers', '0')
      const response = await fetch(address, {
        method: 'POST',
        headers: user ? { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password } : {},
        body: form,
        signal: AbortSignal.timeout(QUERY_TIMEOUT_MS),
      }).catch(error => {
        throw new ReplayError(
          `no answer from ClickHouse at ${url} (${error.cause?.message ?? error.message}). See CLICKHOUSE_URL`,
        )
      })
      const text = await response.text()
      if (!response.ok) throw new ReplayError(`ClickHouse at ${url} answered ${response.status}: ${text.slice(0, 300)}`)
      return text
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Row)
    },
  }
}

/** Reads a value: values are read as TSV is. */
function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/\t/g, '\\t').replace(/\n/g, '\\n')
}

/** Returns where ClickHouse is: as the other programs are told, by default what `npm start` runs. */
export function clickHouseSettings(env: Environment): ClickHouseOptions {
  return {
    url: clickHouseUrl(env),
    user: textSetting('CLICKHOUSE_USER', env, 'replay'),
    password: secretSetting('CLICKHOUSE_PASSWORD', env),
  }
}
