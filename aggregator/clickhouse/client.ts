import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { bodyCompression } from './body-compression.js'

/** The address of a ClickHouse server, and the user to connect as. */
export interface ClickHouseServer {
  url: string
  username: string
  password: string
}

/**
 * Opens a client of ClickHouse. It connects with the first query.
 *
 * @param name what the queries are for, in ClickHouse's logs: `slotstream-<name>`
 * @param timeoutMs longest time of a request, in milliseconds
 * @param loads whether it sends rows, whose bodies are worth compressing on their way to another machine
 */
export function openClickHouse(
  { url, username, password }: ClickHouseServer,
  name: string,
  { timeoutMs, loads = false }: { timeoutMs: number; loads?: boolean },
): ClickHouseClient {
  return createClient({
    url,
    username,
    password,
    application: `slotstream-${name}`,
    request_timeout: timeoutMs,
    ...(loads ? { compression: { request: bodyCompression(url) } } : {}),
    // What goes wrong is in our own log, once in twenty times instead of each.
    log: { level: ClickHouseLogLevel.OFF },
  })
}
