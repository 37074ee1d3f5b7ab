import type { Metrics } from '@slotstream/runtime'

/** Creates the warehouse's metrics, each with the label `stream`. */
export function warehouseMetrics(metrics: Metrics) {
  const stream = ['stream']
  return {
    rows: metrics.counter('warehouse_rows_total', 'Rows in ClickHouse', stream),
    inserts: metrics.counter('warehouse_inserts_total', 'Blocks inserted', stream),
    insertSeconds: metrics.seconds('warehouse_insert_seconds', 'From a block announced to inserted', stream),
    blockRows: metrics.histogram(
      'warehouse_block_rows',
      'Rows of a block',
      [1, 10, 100, 1_000, 5_000, 10_000, 50_000],
      stream,
    ),
    duplicates: metrics.counter('warehouse_duplicates_total', 'Messages left out, found in the block or the table', [
      'stream',
      'found',
    ]),
    lookups: metrics.counter('warehouse_lookups_total', 'Keys looked up in ClickHouse', stream),
    failures: metrics.counter('warehouse_failures_total', 'Failed attempts, each followed by another', stream),
    rejectedRows: metrics.renamedCounter(
      { name: 'warehouse_rejected_rows_total', formerName: 'warehouse_diverted_total' },
      'Rows that ClickHouse rejected, stored in the stream of rejected messages',
      stream,
    ),
    takeovers: metrics.counter('warehouse_takeovers_total', 'Times this process began to own a stream', stream),
    position: metrics.gauge('warehouse_position', 'Stream sequence up to which a stream is loaded', stream),
    lagMessages: metrics.gauge('warehouse_lag_messages', 'Messages of the stream that are not loaded yet', stream),
    lagSeconds: metrics.gauge(
      'warehouse_lag_seconds',
      'Age of the oldest message of the stream that is not loaded yet',
      stream,
    ),
  }
}

export type WarehouseMetrics = ReturnType<typeof warehouseMetrics>
