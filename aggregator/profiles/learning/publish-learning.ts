import { type LearningEnvelope, streamSubject } from '@slotstream/protocol'
import type { Metrics, Publisher } from '@slotstream/runtime'
import type { UntoldLearning } from '../apply/apply-step.js'

/**
 * Publishes what policies have to learn of a message of a partition.
 *
 * @param stored sequence up to which the profiles of the partition are stored: of a message up to it nothing is told
 * again
 * @throws when the stream may not have it: call it again
 */
export type PublishLearning = (partition: number, learning: UntoldLearning, stored: number) => Promise<void>

/**
 * Creates the function that publishes learning records. Publishing them twice is harmless: the broker drops the second
 * message for two minutes, and later readers know it by its `seq`.
 */
export function createPublishLearning(publisher: Pick<Publisher, 'publish'>, metrics: Metrics): PublishLearning {
  const counted = metrics.counter('profiles_learning_records_total', 'Steps published from which policies learn')

  return async (partition, learning, stored) => {
    const envelope: LearningEnvelope = { ...learning, stored }
    const subject = streamSubject('learning', partition)
    const id = `learning:${partition}.${learning.seq}`
    const { duplicate } = await publisher.publish(subject, JSON.stringify(envelope), id)
    if (!duplicate) counted.inc({}, learning.records.length)
  }
}
