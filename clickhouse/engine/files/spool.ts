import { mkdirSync, rmSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Rows of an insert in a file, for the engine to read. */
export interface SpooledRows {
  /** Relative to the working directory: the engine takes `*`, `?` and `{}` in a path for patterns. */
  path: string
  remove(): Promise<void>
}

export interface Spool {
  put(rows: Buffer): Promise<SpooledRows>
  close(): void
}

/**
 * Files for `INSERT … FROM INFILE`. Why not the library's own insert: it makes the rows part of the query's text, which
 * the engine then copies and scans, and takes text formats only. Through a file, that hardly ever gets beyond the page
 * cache, the same rows cost it a third less processor time, and every input format of ClickHouse works.
 *
 * @param folder for these files alone: what a killed process left in it is deleted
 */
export function createSpool(folder: string): Spool {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let count = 0
  return {
    async put(rows) {
      const path = join(folder, String(count++))
      const remove = () => rm(path, { force: true })
      try {
        await writeFile(path, rows, { mode: 0o600 })
      } catch (error) {
        await remove()
        throw error
      }
      return { path: relative('', path), remove }
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}
