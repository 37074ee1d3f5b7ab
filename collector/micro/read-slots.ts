import { readFile } from 'node:fs/promises'
import { ConfigurationError } from '@slotstream/runtime'
import { parseSlotAnswers, type SlotAnswers } from './slot-answers.js'

/**
 * Reads the answers to slots from a file.
 *
 * @throws ConfigurationError when it can't be used
 */
export async function readSlots(path: string): Promise<SlotAnswers> {
  const fail = (reason: string) => new ConfigurationError(`MICRO_SLOTS is "${path}": ${reason}`)
  let raw: unknown
  try {
    raw = JSON.parse((await readFile(path, 'utf8')).replace(/^\uFEFF/, ''))
  } catch (error) {
    throw fail((error as Error).message)
  }
  const checked = parseSlotAnswers(raw)
  if (!checked.ok) throw fail(checked.reason)
  return checked.value
}
