import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type Content, checkDecisionTests, type DecisionTest, isObject, nearest, type Slot } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'

/** Lists of a folder, in the order in which they are checked. */
export const LISTS = ['slots', 'content'] as const

/** A list of a catalog, as its file is named. */
export type List = (typeof LISTS)[number]

/** A site's slots and content. */
export interface Catalog {
  slots: Slot[]
  content: Content[]
}

/** A decision test with the file and place that it stands at. */
export interface FoundTest {
  at: string
  test: DecisionTest
}

/** What a folder holds, before it is checked; undefined: there is no such file. */
export interface Folder {
  slots: unknown[] | undefined
  content: unknown[] | undefined
  tests: FoundTest[]
}

/** Returns the name of the file that holds a list. */
export function fileOf(list: List): string {
  return `${list}.json`
}

/**
 * Reads the catalog of a folder: `slots.json`, `content.json`, those that are there, and `tests/*.json`. Each is a list, or an
 * object as the API has it: `{"slots": […]}`. A file of tests may be a single test.
 *
 * @throws CommandError with a line for each fault, naming the file
 */
export async function readFolder(folder: string): Promise<Folder> {
  const names = await readdir(folder).catch((error: Error & { code?: string }) => {
    throw new CommandError(error.code === 'ENOENT' ? `there is no folder ${folder}` : `${folder}: ${error.message}`)
  })
  refuseMisspelt(folder, names)
  const [slots, content] = await Promise.all(
    LISTS.map(async list => {
      const path = join(folder, fileOf(list))
      return names.includes(fileOf(list)) ? listIn(list, path, await readJson(path)) : undefined
    }),
  )
  if (slots === undefined && content === undefined)
    throw new CommandError(`there is no catalog in ${folder}: put it there as ${LISTS.map(fileOf).join(' and ')}`)
  return { slots, content, tests: names.includes('tests') ? await readTests(join(folder, 'tests')) : [] }
}

/**
 * Writes a catalog into a folder. Files with other content are left alone, unless `force` is set.
 *
 * @returns paths of what was written, and of what was left
 */
export async function writeFolder(
  folder: string,
  catalog: Catalog,
  force: boolean,
): Promise<{ written: string[]; different: string[] }> {
  const [written, different]: [string[], string[]] = [[], []]
  await mkdir(folder, { recursive: true })
  for (const list of LISTS) {
    const path = join(folder, fileOf(list))
    const { [list]: items } = catalog
    const there = await readFile(path, 'utf8').catch(() => undefined)
    if (there === undefined && items.length === 0) continue
    if (there !== undefined && (await hasItems(list, path, items))) continue
    if (there !== undefined && !force) {
      different.push(path)
      continue
    }
    await writeFile(path, `${JSON.stringify(items, null, 2)}\n`)
    written.push(path)
  }
  return { written, different }
}

async function readTests(folder: string): Promise<FoundTest[]> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.json')).sort()
  const faults: string[] = []
  const found: FoundTest[] = []
  for (const name of names) {
    const path = join(folder, name)
    const raw = await readJson(path)
    const checked = checkDecisionTests(Array.isArray(raw) ? raw : [raw])
    if (checked.ok)
      for (const [index, test] of checked.value.entries())
        found.push({ at: `${path}: tests[${index}]${test.name === undefined ? '' : ` ${test.name}`}`, test })
    else faults.push(...checked.faults.map(fault => `${path}: ${fault}`))
  }
  if (faults.length > 0) throw new CommandError(faults.join('\n'))
  return found
}

/** A file beside those that are read, with nearly the name of one, is a typing error that would change nothing. */
function refuseMisspelt(folder: string, names: string[]): void {
  const known = LISTS.map(fileOf)
  for (const name of names.filter(each => each.endsWith('.json') && !known.includes(each))) {
    const meant = nearest(name, known)
    if (meant !== undefined) throw new CommandError(`${join(folder, name)} is not read: did you mean ${meant}?`)
  }
}

async function hasItems(list: List, path: string, items: unknown): Promise<boolean> {
  try {
    return isDeepStrictEqual(listIn(list, path, await readJson(path)), items)
  } catch {
    return false
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    // Editors on Windows begin a file with a byte order mark.
    return JSON.parse((await readFile(path, 'utf8')).replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new CommandError(`${path}: ${(error as Error).message}`)
  }
}

function listIn(list: List, path: string, raw: unknown): unknown[] {
  const items = isObject(raw) ? raw[list] : raw
  if (Array.isArray(items)) return items
  throw new CommandError(`${path}: must be a list of ${list}`)
}
