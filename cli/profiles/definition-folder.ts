import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkDefinitionForm, DEFINITION_KINDS, type Definitions } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import { fileOf, itemsOf, namesIn, parseJson, writeLists } from '../list-folder.js'

/**
 * Reads the definitions of a folder: `features.json`, `patterns.json`, `segments.json`, those that are there. Each is a
 * list, or an object as the API has it: `{"features": […]}`.
 *
 * @throws CommandError with a line for each fault, naming the file
 */
export async function readDefinitions(folder: string): Promise<Partial<Definitions>> {
  const names = await namesIn(folder, DEFINITION_KINDS)
  const definitions: Partial<Definitions> = {}
  const faults: string[] = []
  for (const kind of DEFINITION_KINDS.filter(each => names.includes(fileOf(each)))) {
    const path = join(folder, fileOf(kind))
    const checked = checkDefinitionForm(kind, itemsOf(kind, parseJson(path, await readFile(path, 'utf8'))))
    if (checked.ok) Object.assign(definitions, { [kind]: checked.value })
    else faults.push(...checked.faults.map(fault => `${path}: ${fault}`))
  }
  if (faults.length > 0) throw new CommandError(faults.join('\n'))
  if (Object.keys(definitions).length === 0)
    throw new CommandError(
      `there are no definitions in ${folder}: put them there as ${DEFINITION_KINDS.map(fileOf).join(', ')}`,
    )
  return definitions
}

/** Writes definitions into a folder, see `writeLists`. */
export function writeDefinitions(
  folder: string,
  definitions: Definitions,
  force: boolean,
): ReturnType<typeof writeLists> {
  return writeLists(
    folder,
    DEFINITION_KINDS.map(kind => [kind, definitions[kind]] as const),
    force,
  )
}
