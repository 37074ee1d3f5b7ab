import { amountPortions } from '@slotstream/core'
import { contentPart, type LearningEnvelope, streamSubject } from '@slotstream/protocol'
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
 * message for two minutes, and later readers know it by its `seq`. Amounts of content that are too much for one message
 * of the broker follow in parts that have names.
 */
export function createPublishLearning(publisher: Pick<Publisher, 'publish'>, metrics: Metrics): PublishLearning {
  const counted = metrics.counter('profiles_learning_records_total', 'Steps published from which policies learn')

  return async (partition, learning, stored) => {
    const { contents: all = [], ...others } = learning
    const [contents, ...further] = amountPortions(all)
    const subject = streamSubject('learning', partition)
    const publish = async (envelope: LearningEnvelope, id: string) =>
      (await publisher.publish(subject, JSON.stringify(envelope), `learning:${id}`)).duplicate
    const envelope: LearningEnvelope = { ...others, stored, ...(contents && { contents }) }
    const isRepeated = await publish(envelope, `${partition}.${learning.seq}`)
    if (!isRepeated) counted.inc({}, learning.records.length)
    for (const [place, part] of further.entries()) {
      const batch = contentPart(partition, learning.seq, place + 1)
      await publish({ ...others, stored, batch, records: [], contents: part }, batch)
    }
  }
}
