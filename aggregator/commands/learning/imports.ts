import type { KV } from '@nats-io/kv'
import { type Check, isCount, isId, isObject, keyToken } from '@slotstream/protocol'
import { bucketKeys, parseEntry } from '@slotstream/runtime'
import type { ImportBatch } from './import-rows.js'

/** State of an imported log: being added, added, being removed, removed. */
const STATES = ['adding', 'added', 'removing', 'removed'] as const

/** A log that a slot learned from. */
export interface StoredImport {
  /** Name by which it is listed and removed. */
  name: string
  slotId: string
  state: (typeof STATES)[number]
  /** SHA-256 of the file, in hexadecimal. */
  sha256: string
  /** Name of its batch of learning records: `import-…`. */
  batch: string
  /** Time when it was imported, ISO 8601. */
  at: string
  /** Shift that is added to its times, in milliseconds. */
  shiftMs: number
  /** Items that were shown. */
  records: number
  /** Batch of earlier logs of this name, all of whose records were removed. Absent: there was none */
  removed?: string[]
}

/** Imported logs of sites, in the bucket `meta`. */
export interface Imports {
  list(siteId: string): Promise<StoredImport[]>
  /** Resolves to all that were removed, of all sites. */
  removed(): Promise<ImportBatch[]>
  /** Resolves to the import of a name, with the revision to replace it by; 0: there is none. */
  read(siteId: string, name: string): Promise<{ stored: StoredImport | undefined; revision: number }>
  /** @throws when another process has changed it since */
  write(siteId: string, stored: StoredImport, revision: number): Promise<number>
}

/** Creates the list over the bucket `meta`. */
export function createImports(meta: KV): Imports {
  const keyOf = (siteId: string, name: string) => `import.${siteId}.${keyToken(name)}`

  async function readKey(key: string) {
    const entry = await meta.get(key)
    const parsed = entry?.operation === 'PUT' ? parseEntry(entry, parseImport) : undefined
    if (parsed?.ok === false) throw new Error(`the note of an import cannot be read: ${parsed.reason}`)
    return { stored: parsed?.value, revision: entry?.revision ?? 0 }
  }

  return {
    async list(siteId) {
      const keys = (await bucketKeys(meta, `import.${siteId}.*`)).sort()
      const all = await Promise.all(keys.map(readKey))
      return all.flatMap(({ stored }) => (stored && stored.state !== 'removed' ? [stored] : []))
    },
    async removed() {
      const keys = await bucketKeys(meta, 'import.>')
      const all = await Promise.all(
        keys.map(async key => {
          const { stored } = await readKey(key)
          const batches = stored?.removed ?? []
          if (stored?.state === 'removed') batches.push(stored.batch)
          return batches.map(batch => ({ siteId: key.split('.')[1]!, batch }))
        }),
      )
      return all.flat()
    },
    read: (siteId, name) => readKey(keyOf(siteId, name)),
    write: (siteId, stored, revision) =>
      meta.put(keyOf(siteId, stored.name), JSON.stringify(stored), { previousSeq: revision }),
  }
}

function parseImport(raw: unknown): Check<StoredImport> {
  if (!isObject(raw)) return { ok: false, reason: 'it is not an object' }
  const { name, slotId, state, sha256, batch, at, shiftMs, records, removed = [] } = raw
  const isImport =
    [name, slotId, sha256, batch, at].every(isId) &&
    STATES.some(each => each === state) &&
    Number.isSafeInteger(shiftMs) &&
    isCount(records) &&
    Array.isArray(removed) &&
    removed.every(isId)
  return isImport ? { ok: true, value: raw as unknown as StoredImport } : { ok: false, reason: 'it is no import' }
}
