import { ITEM_POLICIES, type ItemPolicy, MAX_MODEL_ITEMS } from '@slotstream/core'
import { type Check, isCount, isId, isObject } from '@slotstream/protocol'

/** Chunks of a matrix, at most: as large as one of `MAX_MODEL_ITEMS` can be. */
const MAX_CHUNKS = 64

/** Names the parts of a matrix. */
export interface StoredMatrix {
  chunks: number
  /** SHA-256 of all chunks in a row, in hexadecimal. */
  sha256: string
}

/** Names the matrices of a site that count: all of one fit. */
export interface ItemManifest {
  version: 1
  /** Name of the fit, and of its chunks. */
  id: string
  /** Time when it was fitted, in milliseconds since the epoch. */
  at: number
  browsers: number
  /** 0: there was nothing to fit yet, and there are no matrices. */
  items: number
  /** Policies that it was asked for. */
  policies: ItemPolicy[]
  matrices: Partial<Record<ItemPolicy, StoredMatrix>>
}

/** Parses a manifest. One of a later version has another shape, and is not read. */
export function parseItemManifest(raw: unknown): Check<ItemManifest> {
  if (!isObject(raw)) return misfit('the manifest is not a JSON object')
  if (raw.version !== 1) return misfit(`the manifest has version ${JSON.stringify(raw.version)}, not 1`)
  const { id, at, browsers, items, policies, matrices } = raw
  if (!isId(id) || !/^[\w-]+$/.test(id)) return misfit('id is no name of a fit')
  if (!isCount(at)) return misfit('at is not a time')
  if (!isCount(browsers)) return misfit('browsers is no count')
  if (!isCount(items) || items > MAX_MODEL_ITEMS) return misfit(`items is not from 0 to ${MAX_MODEL_ITEMS}`)
  if (!Array.isArray(policies) || !policies.every(isItemPolicy)) return misfit('policies are not of those by items')
  if (
    !isObject(matrices) ||
    !Object.entries(matrices).every(([type, matrix]) => isItemPolicy(type) && isStored(matrix))
  )
    return misfit('matrices do not name their chunks')
  return { ok: true, value: raw as unknown as ItemManifest }
}

function isItemPolicy(raw: unknown): raw is ItemPolicy {
  return ITEM_POLICIES.includes(raw as ItemPolicy)
}

function isStored(raw: unknown): raw is StoredMatrix {
  if (!isObject(raw) || !isCount(raw.chunks) || raw.chunks < 1 || raw.chunks > MAX_CHUNKS) return false
  return typeof raw.sha256 === 'string' && /^[0-9a-f]{64}$/.test(raw.sha256)
}

function misfit(reason: string): Check<never> {
  return { ok: false, reason }
}
