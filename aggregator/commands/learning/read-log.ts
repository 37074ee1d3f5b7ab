import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createDsjsonReader } from './logs/dsjson.js'
import { type Impression, LogError } from './logs/impression.js'
import { createOpenBanditReader } from './logs/open-bandit.js'
import type { FORMATS } from './parse-arguments.js'

type Format = (typeof FORMATS)[number]

const READERS = { 'open-bandit': createOpenBanditReader, dsjson: createDsjsonReader }

/**
 * Reads a log from its beginning to its end.
 *
 * @param format default: what the first line looks like
 * @throws LogError that names the file and the line
 */
export async function* readImpressions(path: string, format?: Format): AsyncGenerator<Impression> {
  let reader: ReturnType<(typeof READERS)[Format]> | undefined
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })
  try {
    for await (const text of lines) {
      const line = reader ? text : text.replace(/^\uFEFF/, '')
      reader ??= READERS[format ?? (line.trimStart().startsWith('{') ? 'dsjson' : 'open-bandit')]()
      yield* reader.read(line)
    }
  } catch (error) {
    if (error instanceof LogError) throw new LogError(`${path}, ${error.message}`)
    throw error
  } finally {
    lines.close()
  }
}

/** Facts about a log that are read before it is imported. */
export interface LogFacts {
  /** SHA-256 of the file, in hexadecimal. */
  sha256: string
  records: number
  /** The latest time, in milliseconds since the epoch. */
  latest: number
}

/**
 * Reads a log for what it has, and whether all of it can be read.
 *
 * @throws LogError
 */
export async function factsOfLog(path: string, format?: Format): Promise<LogFacts> {
  let records = 0
  let latest = 0
  for await (const { at } of readImpressions(path, format)) {
    records++
    latest = Math.max(latest, at)
  }
  if (records === 0) throw new LogError(`${path} has nothing that was shown`)
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return { sha256: hash.digest('hex'), records, latest }
}
