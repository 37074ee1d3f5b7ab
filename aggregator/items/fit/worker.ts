import { parentPort, workerData } from 'node:worker_threads'
import { openClickHouse } from '../../clickhouse/client.js'
import { fitItems } from './fit-items.js'
import type { FitWork } from './fitting-thread.js'

/** Time that a query over the interactions of a site may take, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10 * 60_000

// Started as a thread of its own: counting and fitting take seconds, for which nothing else must wait.
const { clickhouse: server, request } = workerData as FitWork
const clickhouse = openClickHouse(server, 'items', { timeoutMs: REQUEST_TIMEOUT_MS })
try {
  const fitted = await fitItems(clickhouse, request)
  const transfer = fitted.chunks.flatMap(([, chunks]) => chunks.map(({ buffer }) => buffer as ArrayBuffer))
  parentPort!.postMessage(fitted, transfer)
} finally {
  await clickhouse.close()
}
