import { type CatalogItem, type CatalogKind, keyOf, type Target } from './changes.js'
import type { StoredHead } from './head.js'
import type { LiveItem, LiveItems } from './live-items.js'

/** A site's catalog at a revision, read as far as it is asked for, each item once. */
export interface CatalogState {
  readonly head: StoredHead
  item(kind: CatalogKind, id: string): Promise<LiveItem>
  all(kind: CatalogKind): Promise<ReadonlyMap<string, LiveItem>>
  ids(kind: CatalogKind): Promise<readonly string[]>
  /** Resolves to how many slots and contents there are. */
  counts(): Promise<{ slots: number; content: number }>
}

/** Creates the view of a site's catalog. */
export function createState(siteId: string, live: LiveItems, head: StoredHead): CatalogState {
  const items = new Map<string, Promise<LiveItem>>()
  const whole = new Map<CatalogKind, Promise<Map<string, LiveItem>>>()
  const names = new Map<CatalogKind, Promise<string[]>>()

  const all = (kind: CatalogKind) => remembered(whole, kind, () => live.readAll(siteId, kind))
  const ids = (kind: CatalogKind) => remembered(names, kind, () => live.ids(siteId, kind))

  return {
    head,
    all,
    ids,
    async item(kind, id) {
      const ofKind = whole.get(kind)
      // Deleted ones are among all, with the sequence to replace them by.
      if (ofKind) return (await ofKind).get(id) ?? { value: undefined, seq: 0, isUnusable: false }
      return remembered(items, keyOf({ kind, id }), () => live.read(siteId, kind, id))
    },
    async counts() {
      const [slots, content] = await Promise.all([ids('slot'), ids('content')])
      return { slots: slots.length, content: content.length }
    },
  }
}

function remembered<K, T>(cache: Map<K, Promise<T>>, key: K, read: () => Promise<T>): Promise<T> {
  const value = cache.get(key) ?? read()
  cache.set(key, value)
  return value
}

/** Resolves to all slots, or all contents, that can be used. */
export async function usableOf<T extends CatalogItem>(state: CatalogState, kind: CatalogKind): Promise<T[]> {
  return [...(await state.all(kind)).values()].flatMap(({ value }) => (value ? [value as T] : []))
}

/** Returns the view of a catalog in which these items are as they are to be. */
export function withTargets(state: CatalogState, targets: readonly Target[]): CatalogState {
  const changed = new Map(targets.map(target => [keyOf(target), target]))
  const replaced = (kind: CatalogKind, id: string, item: LiveItem): LiveItem => {
    const target = changed.get(keyOf({ kind, id }))
    return target ? { ...item, value: target.after, isUnusable: false } : item
  }
  const all = async (kind: CatalogKind) => {
    const items = new Map(await state.all(kind))
    for (const [id, item] of items) items.set(id, replaced(kind, id, item))
    for (const target of targets)
      if (target.kind === kind && !items.has(target.id))
        items.set(target.id, { value: target.after, seq: 0, isUnusable: false })
    return items
  }
  const ids = async (kind: CatalogKind) => {
    const names = new Set(await state.ids(kind))
    for (const target of targets)
      if (target.kind === kind) target.after === undefined ? names.delete(target.id) : names.add(target.id)
    return [...names]
  }
  return {
    head: state.head,
    all,
    ids,
    async item(kind, id) {
      return replaced(kind, id, await state.item(kind, id))
    },
    async counts() {
      const [slots, content] = await Promise.all([ids('slot'), ids('content')])
      return { slots: slots.length, content: content.length }
    },
  }
}
