import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { PlanSchemas } from '@slotstream/protocol'
import { parseSchema } from '@slotstream/tracking-plan'

/** Characters that some file system doesn't take in a name, and `%`, which stands before their code. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are among them
const UNFIT = /[\u0000-\u001f/\\:*?"<>|%]|^\.|[. ]$/g

/** Returns an event's name as the name of a folder: as it is, save for what no file system takes. */
export function folderName(event: string): string {
  return event.replace(UNFIT, character => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
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
        if (!isDeepStrictEqual(parseSchema(path, there), schema)) different.push(path)
        continue
      }
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, `${JSON.stringify(schema, null, 2)}\n`)
      written.push(path)
    }
  return { written, different }
}
