import type { Metrics } from '@slotstream/runtime'

/** Creates the lake's metrics, each with the label `stream`. */
export function lakeMetrics(metrics: Metrics) {
  const stream = ['stream']
  return {
    files: metrics.counter('lake_files_total', 'Files written to the lake', stream),
    bytes: metrics.counter('lake_bytes_total', 'Bytes written to the lake', stream),
    seconds: metrics.seconds('lake_file_seconds', 'Time to write a file', stream),
    failures: metrics.counter('lake_failures_total', 'Failed attempts, each followed by another', stream),
    position: metrics.gauge('lake_position', 'Position, as in stream_seq, up to which the lake has a stream', stream),
  }
}

export type LakeMetrics = ReturnType<typeof lakeMetrics>
