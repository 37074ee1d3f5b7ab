import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type SchemaFiles, readSchemas as schemasOf } from '@slotstream/tracking-plan'

const files: SchemaFiles = {
  entries: folder => readdir(folder, { withFileTypes: true }),
  text: path => readFile(path, 'utf8'),
  join,
}

/** Reads the schemas of a folder of this machine: see `readSchemas` of the tracking plan. */
export const readSchemas = (folder: string) => schemasOf(folder, files)
