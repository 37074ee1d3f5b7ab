import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isObject, nearest, parseExact } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'

/** Returns the name of the file that holds a list. */
export function fileOf(list: string): string {
  return `${list}.json`
}

/**
 * Returns the names of what is in a folder of lists.
 *
 * @throws CommandError where there is no such folder, or a file has nearly the name of a list: a typing error would
 * change nothing
 */
export async function namesIn(folder: string, lists: readonly string[]): Promise<string[]> {
  const names = await readdir(folder).catch((error: Error & { code?: string }) => {
    throw new CommandError(error.code === 'ENOENT' ? `there is no folder ${folder}` : `${folder}: ${error.message}`)
  })
  const files = lists.map(fileOf)
  for (const name of names.filter(each => each.endsWith('.json') && !files.includes(each))) {
    const meant = nearest(name, files)
    if (meant !== undefined) throw new CommandError(`${join(folder, name)} is not read: did you mean ${meant}?`)
  }
  return names
}

/**
 * Parses the text of a file.
 *
 * @throws CommandError that names the file
 */
export function parseJson(path: string, text: string): unknown {
  try {
    // Editors on Windows begin a file with a byte order mark.
    // As the collector would take it.
    return parseExact(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new CommandError(`${path}: ${(error as Error).message}`)
  }
}

/** Returns what a file has as a list: itself, or what an object has under the list's name, as the API has it. */
export function itemsOf(list: string, raw: unknown): unknown {
  return isObject(raw) ? raw[list] : raw
}

/**
 * Writes lists into a folder, in their order. Files with other content are left alone, unless `force` is set.
 *
 * @returns paths of what was written, and of what was left
 */
export async function writeLists(
  folder: string,
  lists: readonly (readonly [name: string, items: readonly unknown[]])[],
  force: boolean,
): Promise<{ written: string[]; different: string[] }> {
  const [written, different]: [string[], string[]] = [[], []]
  await mkdir(folder, { recursive: true })
  for (const [name, items] of lists) {
    const path = join(folder, fileOf(name))
    const there = await readFile(path, 'utf8').catch(() => undefined)
    if (there === undefined && items.length === 0) continue
    if (there !== undefined && hasItems(name, path, there, items)) continue
    if (there !== undefined && !force) {
      different.push(path)
      continue
    }
    await writeFile(path, `${JSON.stringify(items, null, 2)}\n`)
    written.push(path)
  }
  return { written, different }
}

function hasItems(list: string, path: string, text: string, items: readonly unknown[]): boolean {
  try {
    return isDeepStrictEqual(itemsOf(list, parseJson(path, text)), items)
  } catch {
    return false
  }
}
