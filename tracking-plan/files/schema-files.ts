import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type JsonObject, type PlanSchemas, parseSchemaVersion, sortedVersions } from '@slotstream/protocol'
import { CommandError } from './errors.js'

/** Characters that some file system doesn't take in a name, and `%`, which stands before their code. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are among them
const UNFIT = /[\u0000-\u001f/\\:*?"<>|%]|^\.|[. ]$/g

/** An event's name as the name of a folder: as it is, save for what no file system takes. */
export function folderName(event: string): string {
  return event.replace(UNFIT, character => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/**
 * The schemas of a folder: `<event>/<version>.json`. What begins with a dot, and files beside the events' folders, are
 * no part of it.
 *
 * @throws CommandError naming the file
 */
export async function readSchemas(folder: string): Promise<PlanSchemas> {
  const schemas: PlanSchemas = {}
  for (const { name } of (await entriesOf(folder)).filter(entry => entry.isDirectory())) {
    const event = eventOf(folder, name)
    const versions: Record<string, JsonObject> = {}
    for (const file of await entriesOf(join(folder, name))) {
      const path = join(folder, name, file.name)
      const version = /^(.*)\.json$/.exec(file.name)?.[1] ?? ''
      if (!parseSchemaVersion(version))
        throw new CommandError(`${path}: the name must be a version, MODEL-REVISION-ADDITION, such as 1-0-0.json`)
      versions[version] = parse(path, await readFile(path, 'utf8'))
    }
    const sorted = sortedVersions(Object.keys(versions)).map(version => [version, versions[version]!] as const)
    if (sorted.length > 0) schemas[event] = Object.fromEntries(sorted)
  }
  if (Object.keys(schemas).length === 0)
    throw new CommandError(
      `there are no schemas in ${folder}: put them there as <event>/1-0-0.json, or name another folder with --schemas`,
    )
  return schemas
}

/**
 * Writes schemas that are not there yet.
 *
 * @returns paths of what was written, and of files that are there with other content and were left alone
 */
export async function writeSchemas(
  folder: string,
  schemas: PlanSchemas,
): Promise<{ written: string[]; different: string[] }> {
  const [written, different]: [string[], string[]] = [[], []]
  for (const [event, versions] of Object.entries(schemas))
    for (const [version, schema] of Object.entries(versions)) {
      const path = join(folder, folderName(event), `${version}.json`)
      const there = await readFile(path, 'utf8').catch(() => undefined)
      if (there !== undefined) {
        if (!isDeepStrictEqual(parse(path, there), schema)) different.push(path)
        continue
      }
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, `${JSON.stringify(schema, null, 2)}\n`)
      written.push(path)
    }
  return { written, different }
}

async function entriesOf(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(error.code === 'ENOENT' ? `there is no folder ${folder}` : `${folder}: ${error.message}`)
  })
  return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function eventOf(folder: string, name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    throw new CommandError(`${join(folder, name)}: "%" must be followed by a character's code, such as %2f for "/"`)
  }
}

function parse(path: string, text: string): JsonObject {
  try {
    const schema: unknown = JSON.parse(text)
    if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return schema as JsonObject
  } catch (error) {
    throw new CommandError(`${path}: ${(error as Error).message}`)
  }
  throw new CommandError(`${path}: a schema must be a JSON object`)
}
