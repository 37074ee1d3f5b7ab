import { nextTask } from '../platform/next-task.js'
import { hasSlot } from './has-slot.js'

/**
 * Resolves in a later task; in a document with slots when these had their time: they get the network and the processor.
 */
export const afterSlots = ({ slotTimeout }: { slotTimeout: number }): Promise<void> =>
  nextTask(hasSlot() ? slotTimeout : 0)
