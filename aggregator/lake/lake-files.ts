import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Block } from '../warehouse/positions/position.js'

/** A file of the lake: the rows of a table whose positions in a stream are in a range. */
export interface LakeFile extends Block {
  stream: string
  path: string
}

/** Bytes that every Parquet file begins and ends with (https://parquet.apache.org/docs/file-format/). */
const MAGIC = 'PAR1'

const NAME = /^(?<stream>\w+)-(?<first>\d{16})-(?<last>\d{16})\.parquet$/
const BEGUN = /^\.(?<stream>\w+)-\d{16}-\d{16}\.parquet\.[\w-]+$/

/** Returns the name of a range's file; names sort in the order of the ranges. Pure. */
export function lakeFileName(stream: string, { first, last }: Block): string {
  return `${stream}-${String(first).padStart(16, '0')}-${String(last).padStart(16, '0')}.parquet`
}

/** Parses the name of a file; undefined when it is none of the lake's. Pure. */
export function parseLakeFileName(name: string): (Block & { stream: string }) | undefined {
  const { stream, first, last } = NAME.exec(name)?.groups ?? {}
  return stream ? { stream, first: Number(first), last: Number(last) } : undefined
}

/**
 * Files that say nothing that another one doesn't: their range is part of the other's. Pure.
 *
 * @param files of one stream
 */
export function covered(files: LakeFile[]): LakeFile[] {
  const widest = files.toSorted((a, b) => a.first - b.first || b.last - a.last)
  let last = 0
  return widest.filter(file => {
    const inside = file.last <= last
    last = Math.max(last, file.last)
    return inside
  })
}

/** A table's folder in the lake. */
export interface LakeFolder {
  /** Files in the order of their ranges: a stream's, or those of all that ever were. */
  list(stream?: string): Promise<LakeFile[]>
  /** Removes what earlier writers of a stream began and never finished; one that is still writing fails. */
  clear(stream: string): Promise<void>
  /**
   * Writes a range's file: it is there as a whole or not at all, also after a crash.
   *
   * @param date the day it is filed under, `YYYY-MM-DD`
   * @param content its Parquet
   * @param mayKeep asked when all is written; false: it is thrown away
   * @returns its bytes
   * @throws when what came is not a whole Parquet file, or `mayKeep` said no
   */
  write(
    stream: string,
    range: Block,
    date: string,
    content: () => Promise<Readable>,
    mayKeep: () => Promise<boolean>,
  ): Promise<number>
}

/**
 * Opens the folder of a table: a folder a day (`date=2026-11-27`), which DuckDB, Spark and ClickHouse read as
 * partitions.
 */
export function lakeFolder(lake: string, table: string): LakeFolder {
  const folder = join(lake, table)

  async function paths(): Promise<{ name: string; path: string }[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(error => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    return entries
      .filter(entry => entry.isFile())
      .map(({ name, parentPath }) => ({ name, path: join(parentPath, name) }))
  }

  return {
    async list(stream) {
      const files = (await paths()).flatMap(({ name, path }) => {
        const parsed = parseLakeFileName(name)
        return parsed && parsed.stream === (stream ?? parsed.stream) ? [{ ...parsed, path }] : []
      })
      return files.sort((a, b) => a.first - b.first)
    },

    async clear(stream) {
      for (const { name, path } of await paths())
        if (BEGUN.exec(name)?.groups?.stream === stream) await rm(path, { force: true })
    },

    async write(stream, range, date, content, mayKeep) {
      const path = join(folder, `date=${date}`, lakeFileName(stream, range))
      const day = dirname(path)
      // Each writer's its own: what one was paused over, another must not find under the name it writes to.
      const begun = join(day, `.${lakeFileName(stream, range)}.${randomUUID()}`)
      await mkdir(day, { recursive: true })
      try {
        await pipeline(await content(), createWriteStream(begun, { flush: true }))
        if (!(await isWhole(begun))) throw new Error(`what ClickHouse sent for ${path} is not a whole Parquet file`)
        if (!(await mayKeep())) throw new Error(`${stream} is another process's now: ${path} is not kept`)
        const { size } = await stat(begun)
        await rename(begun, path)
        for (const changed of [day, folder]) await sync(changed)
        return size
      } catch (error) {
        await rm(begun, { force: true })
        throw error
      }
    },
  }
}

/** Lets the names in a folder outlive the machine: the next file must not outlive the one before it. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder)
  await handle.sync().finally(() => handle.close())
}

/** Returns whether a file is complete: ClickHouse may run into an error after it began to answer. */
async function isWhole(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const ends = Buffer.alloc(2 * MAGIC.length)
    await file.read(ends, 0, MAGIC.length, 0)
    await file.read(ends, MAGIC.length, MAGIC.length, Math.max(0, size - MAGIC.length))
    return size > ends.length && ends.toString('latin1') === MAGIC + MAGIC
  } finally {
    await file.close()
  }
}
