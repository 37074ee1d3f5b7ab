import { Worker } from 'node:worker_threads'
import type { ClickHouseServer } from '../../clickhouse/client.js'
import type { FitRequest, FittedItems } from './fit-items.js'

/** All that the thread is started with. */
export interface FitWork {
  /** A user who may read. */
  clickhouse: ClickHouseServer
  request: FitRequest
}

/**
 * Fits the matrices of a site in a thread of its own, which ends with it, and all memory that it took.
 *
 * @throws what went wrong there, or the reason of `signal`, by which the thread is ended at once
 */
export async function fitInThread(work: FitWork, signal: AbortSignal): Promise<FittedItems> {
  signal.throwIfAborted()
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: work })
  const end = () => void worker.terminate()
  signal.addEventListener('abort', end, { once: true })
  try {
    return await new Promise<FittedItems>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(signal.reason ?? new Error('the thread that fits items ended without a result')))
    })
  } finally {
    signal.removeEventListener('abort', end)
  }
}
