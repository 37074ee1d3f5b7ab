import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Content, checkDecisionTests, type DecisionTest, type Slot } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import { fileOf, itemsOf, namesIn, parseJson, writeLists } from '../list-folder.js'

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

/** Content of a folder, before it is checked; undefined: there is no such file. */
export interface Folder {
  slots: unknown[] | undefined
  content: unknown[] | undefined
  tests: FoundTest[]
}

/**
 * Reads the catalog of a folder: `slots.json`, `content.json`, those that are there, and `tests/*.json`. Each is a
 * list, or an object as the API has it: `{"slots": […]}`. A file of tests may be a single test.
 *
 * @throws CommandError with a line for each fault, naming the file
 */
export async function readFolder(folder: string): Promise<Folder> {
  const names = await namesIn(folder, LISTS)
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

/** Writes a catalog into a folder, see `writeLists`. */
export function writeFolder(folder: string, catalog: Catalog, force: boolean): ReturnType<typeof writeLists> {
  return writeLists(
    folder,
    LISTS.map(list => [list, catalog[list]] as const),
    force,
  )
}

async function readTests(folder: string): Promise<FoundTest[]> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.json')).sort()
  const faults: string[] = []
  const tests: FoundTest[] = []
  for (const name of names) {
    const path = join(folder, name)
    const raw = await readJson(path)
    const checked = checkDecisionTests(Array.isArray(raw) ? raw : [raw])
    if (checked.ok)
      for (const [index, test] of checked.value.entries())
        tests.push({ at: `${path}: tests[${index}]${test.name === undefined ? '' : ` ${test.name}`}`, test })
    else faults.push(...checked.faults.map(fault => `${path}: ${fault}`))
  }
  if (faults.length > 0) throw new CommandError(faults.join('\n'))
  return tests
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(error => {
    throw new CommandError(`${path}: ${(error as Error).message}`)
  })
  return parseJson(path, text)
}

function listIn(list: List, path: string, raw: unknown): unknown[] {
  const items = itemsOf(list, raw)
  if (Array.isArray(items)) return items
  throw new CommandError(`${path}: must be a list of ${list}`)
}
