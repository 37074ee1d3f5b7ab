import { writeFile } from 'node:fs/promises'
import type { Slot } from '@slotstream/protocol'
import { generateSlotTypes } from './generate-slot-types.js'

/**
 * Writes the types of slots to a file, or prints them.
 *
 * @param out path of the file. Undefined: they are printed
 */
export async function writeSlotTypes(
  slots: readonly Pick<Slot, 'id' | 'schema'>[],
  out: string | undefined,
  print: (line: string) => void,
): Promise<void> {
  const text = await generateSlotTypes(slots)
  if (out === undefined) return print(text.trimEnd())
  await writeFile(out, text)
  print(`wrote ${out}`)
}
