import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  checkDefinitionForm,
  DEFINITION_KINDS,
  type DefinitionKind,
  type Definitions,
  isObject,
  nearest,
} from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'

/** The name of the file that holds a kind of definitions. */
export function fileOf(kind: DefinitionKind): string {
  return `${kind}.json`
}

/**
 * Reads the definitions of a folder: `features.json`, `patterns.json`, `segments.json`, those that are there. Each is a
 * list, or an object as the API has it: `{"features": […]}`.
 *
 * @throws CommandError with a line for each fault, naming the file
 */
export async function readDefinitions(folder: string): Promise<Partial<Definitions>> {
  const names = await readdir(folder).catch((error: Error & { code?: string }) => {
    throw new CommandError(error.code === 'ENOENT' ? `there is no folder ${folder}` : `${folder}: ${error.message}`)
  })
  refuseMisspelt(folder, names)
  const found: Partial<Definitions> = {}
  const faults: string[] = []
  for (const kind of DEFINITION_KINDS.filter(each => names.includes(fileOf(each)))) {
    const path = join(folder, fileOf(kind))
    const checked = checkDefinitionForm(kind, itemsOf(kind, path, await readFile(path, 'utf8')))
    if (checked.ok) Object.assign(found, { [kind]: checked.value })
    else faults.push(...checked.faults.map(fault => `${path}: ${fault}`))
  }
  if (faults.length > 0) throw new CommandError(faults.join('\n'))
  if (Object.keys(found).length === 0)
    throw new CommandError(
      `there are no definitions in ${folder}: put them there as ${DEFINITION_KINDS.map(fileOf).join(', ')}`,
    )
  return found
}

/**
 * Writes definitions into a folder. Files with other content are left alone, unless `force` is set.
 *
 * @returns paths of what was written, and of what was left
 */
export async function writeDefinitions(
  folder: string,
  definitions: Definitions,
  force: boolean,
): Promise<{ written: string[]; different: string[] }> {
  const [written, different]: [string[], string[]] = [[], []]
  await mkdir(folder, { recursive: true })
  for (const kind of DEFINITION_KINDS) {
    const path = join(folder, fileOf(kind))
    const { [kind]: items } = definitions
    const there = await readFile(path, 'utf8').catch(() => undefined)
    if (there === undefined && items.length === 0) continue
    if (there !== undefined && hasItems(kind, path, there, items)) continue
    if (there !== undefined && !force) {
      different.push(path)
      continue
    }
    await writeFile(path, `${JSON.stringify(items, null, 2)}\n`)
    written.push(path)
  }
  return { written, different }
}

/** A file beside those that are read, with nearly the name of one, is a typing error that would change nothing. */
function refuseMisspelt(folder: string, names: string[]): void {
  const known = DEFINITION_KINDS.map(fileOf)
  for (const name of names.filter(each => each.endsWith('.json') && !known.includes(each))) {
    const meant = nearest(name, known)
    if (meant !== undefined) throw new CommandError(`${join(folder, name)} is not read: did you mean ${meant}?`)
  }
}

function hasItems(kind: DefinitionKind, path: string, text: string, items: unknown): boolean {
  try {
    return isDeepStrictEqual(itemsOf(kind, path, text), items)
  } catch {
    return false
  }
}

function itemsOf(kind: DefinitionKind, path: string, text: string): unknown {
  try {
    // Editors on Windows begin a file with a byte order mark.
    const raw: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    return isObject(raw) ? raw[kind] : raw
  } catch (error) {
    throw new CommandError(`${path}: ${(error as Error).message}`)
  }
}
