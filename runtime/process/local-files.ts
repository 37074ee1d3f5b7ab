import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The files of this machine, as functions for logic that must not know Node, such as the tracking plan's. */
export const localFiles = {
  entries: (folder: string) => readdir(folder, { withFileTypes: true }),
  text: (path: string) => readFile(path, 'utf8'),
  join,
}
