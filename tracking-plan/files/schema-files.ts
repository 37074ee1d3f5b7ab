import { isObject, type JsonObject, type PlanSchemas, parseSchemaVersion, sortedVersions } from '@slotstream/protocol'
import { CommandError } from './errors.js'

/** How a folder of schemas is read: on Node, by functions of `node:fs/promises` and `node:path`. */
export interface SchemaFiles {
  entries(folder: string): Promise<{ name: string; isDirectory(): boolean }[]>
  text(path: string): Promise<string>
  join(...parts: string[]): string
}

/**
 * Reads the schemas of a folder: `<event>/<version>.json`. What begins with a dot, and files beside the events'
 * folders, are no part of it.
 *
 * @throws CommandError naming the file
 */
export async function readSchemas(folder: string, files: SchemaFiles): Promise<PlanSchemas> {
  const schemas: PlanSchemas = {}
  for (const { name } of (await entriesOf(folder, files)).filter(entry => entry.isDirectory())) {
    const event = eventOf(files.join(folder, name), name)
    const versions: Record<string, JsonObject> = {}
    for (const file of await entriesOf(files.join(folder, name), files)) {
      const path = files.join(folder, name, file.name)
      const version = /^(.*)\.json$/.exec(file.name)?.[1] ?? ''
      if (!parseSchemaVersion(version))
        throw new CommandError(`${path}: the name must be a version, MODEL-REVISION-ADDITION, such as 1-0-0.json`)
      versions[version] = parseSchema(path, await files.text(path))
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

async function entriesOf(folder: string, files: SchemaFiles) {
  const entries = await files.entries(folder).catch((error: Error & { code?: string }) => {
    throw new CommandError(error.code === 'ENOENT' ? `there is no folder ${folder}` : `${folder}: ${error.message}`)
  })
  return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function eventOf(path: string, name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    throw new CommandError(`${path}: "%" must be followed by a character's code, such as %2f for "/"`)
  }
}

/**
 * Parses the text of a schema.
 *
 * @throws CommandError naming the file
 */
export function parseSchema(path: string, text: string): JsonObject {
  try {
    // Editors on Windows begin a file with a byte order mark.
    const schema: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    if (isObject(schema)) return schema as JsonObject
  } catch (error) {
    throw new CommandError(`${path}: ${(error as Error).message}`)
  }
  throw new CommandError(`${path}: a schema must be a JSON object`)
}
