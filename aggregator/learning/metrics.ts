import type { Metrics } from '@slotstream/runtime'

/** Metrics of learning. */
export type LearningMetrics = ReturnType<typeof learningMetrics>

/** Creates the metrics of learning. */
export function learningMetrics(metrics: Metrics) {
  return {
    records: metrics.counter('learning_records_total', 'Learning records that this process added to its models'),
    repeats: metrics.counter('learning_repeats_total', 'Messages of learning records that had come before'),
    refused: metrics.counter('learning_refused_total', 'Learning records that were not learned from, by reason', [
      'reason',
    ]),
    dropped: metrics.counter('learning_dropped_total', 'Epochs dropped because a sum would no longer have been exact'),
    bytes: metrics.gauge('learning_bytes', 'Memory that what was learned takes, estimated upwards, by what it is of', [
      'of',
    ]),
    contentsLeft: metrics.counter(
      'learning_contents_left_total',
      'Contents whose features were forgotten because memory is full',
    ),
    models: metrics.gauge('learning_models', 'Slots with a model in this process'),
    refits: metrics.seconds('learning_refit_seconds', 'Time that a model of a slot took'),
    snapshotAge: metrics.gauge('learning_snapshot_age_seconds', 'Age of the snapshot of what was learned, in seconds'),
    restarts: metrics.counter('learning_restarts_total', 'Times that learning began again from its snapshot'),
  }
}
