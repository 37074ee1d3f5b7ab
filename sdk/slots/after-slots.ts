import { nextTask } from '../platform/next-task.js'
import { hasSlot } from './has-slot.js'

/**
 * Resolves in a later task; in a document with slots when these had their time: they get the network and the processor.
 * Their time begins with that task: on a slow processor the request for them leaves late in the one that starts the
 * page.
 */
export async function afterSlots({ slotTimeout }: { slotTimeout: number }): Promise<void> {
  await nextTask()
  if (hasSlot()) await nextTask(slotTimeout)
}
