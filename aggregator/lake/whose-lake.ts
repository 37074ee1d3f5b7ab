import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KV } from '@nats-io/kv'
import { uuidv7 } from '@slotstream/protocol'

/**
 * Name of the id of the lake, in the lake and in the bucket `meta`. Positions mean something only in the installation
 * that gave them.
 */
const FILE = 'LAKE'
const KEY = 'lake'

/** Marks a lake as an installation's. Throws when it is another's. */
export async function claimLake(dir: string, meta: KV): Promise<void> {
  const storedId = (await meta.get(KEY))?.string()
  const lakeId = storedId ?? (await create(meta))
  await mkdir(dir, { recursive: true })
  try {
    await writeFile(join(dir, FILE), lakeId, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    if ((await readFile(join(dir, FILE), 'utf8')) === lakeId) return
    throw new Error(
      `the lake in ${dir} is another installation's: give LAKE_DIR an empty folder, or, if it is this one's and only NATS was lost, delete ${join(dir, FILE)}`,
    )
  }
}

/** Makes a lake that is restored from this installation's. */
export async function adoptLake(dir: string, meta: KV): Promise<void> {
  const id = await readFile(join(dir, FILE), 'utf8').catch(() => undefined)
  if (id) await meta.put(KEY, id)
}

async function create(meta: KV): Promise<string> {
  const id = uuidv7()
  try {
    await meta.create(KEY, id)
    return id
  } catch {
    // Another process was first.
    const entry = await meta.get(KEY)
    if (!entry) throw new Error('the id of the lake could not be kept in NATS')
    return entry.string()
  }
}
