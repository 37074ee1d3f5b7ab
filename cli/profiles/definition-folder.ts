import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repairDefinitions } from '@slotstream/core'
import {
  byteLength,
  checkDefinitionForm,
  DEFINITION_KINDS,
  type DefinitionKind,
  type Definitions,
  MAX_DEFINITION_BYTES,
  MAX_DEFINITIONS,
} from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import { fileOf, itemsOf, namesIn, parseJson, writeLists } from '../list-folder.js'

/** Definitions of a folder, by kind. */
export interface FolderDefinitions {
  /** Those of the files that are there; where a file has faults, as `repairDefinitions` returns them. */
  definitions: Partial<Definitions>
  /** A line for each fault of form, naming the file. */
  faults: string[]
  /** True where a file could not be read as a list, so that its names are not known. */
  isPartial: boolean
}

/**
 * Reads the definitions of a folder: `features.json`, `patterns.json`, `segments.json`, those that are there. Each is a
 * list, or an object as the API has it: `{"features": […]}`.
 *
 * @throws CommandError when there are none
 */
export async function readDefinitions(folder: string): Promise<FolderDefinitions> {
  const names = await namesIn(folder, DEFINITION_KINDS)
  const definitions: Partial<Definitions> = {}
  const faults: string[] = []
  for (const kind of DEFINITION_KINDS.filter(each => names.includes(fileOf(each)))) {
    const path = join(folder, fileOf(kind))
    try {
      const items = itemsOf(kind, parseJson(path, await readFile(path, 'utf8')))
      const checked = checkDefinitionForm(kind, items)
      if (!checked.ok) faults.push(...checked.faults.map(fault => `${path}: ${fault}`))
      if (checked.ok) Object.assign(definitions, { [kind]: checked.value })
      else if (canBeRepaired(kind, items)) Object.assign(definitions, { [kind]: repairDefinitions(kind, items) })
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      faults.push(error.message)
    }
  }
  if (Object.keys(definitions).length === 0 && faults.length === 0)
    throw new CommandError(
      `there are no definitions in ${folder}: put them there as ${DEFINITION_KINDS.map(fileOf).join(', ')}`,
    )
  const isPartial = DEFINITION_KINDS.some(kind => names.includes(fileOf(kind)) && definitions[kind] === undefined)
  return { definitions, faults, isPartial }
}

/** Returns whether a set is of a size that is looked at. */
function canBeRepaired(kind: DefinitionKind, items: unknown): items is unknown[] {
  return (
    Array.isArray(items) &&
    items.length <= MAX_DEFINITIONS[kind] &&
    byteLength(JSON.stringify(items)) <= MAX_DEFINITION_BYTES
  )
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
