import { type Clauses, type CompiledSlot, compileSlot, createClauses } from '@slotstream/core'
import {
  type Content,
  checkContent,
  checkSlot,
  fromKeyToken,
  isCatalogPublishedKey,
  type Slot,
} from '@slotstream/protocol'

/** The sites' slots and content, in memory. */
export interface Catalog {
  /** Returns a slot with what can appear in it, compiled once for each state of the site's catalog. */
  slotOf(siteId: string, slotId: string): CompiledSlot | undefined
  /** Returns the clauses that the slots of a site were compiled with. */
  clausesOf(siteId: string): Clauses
  /**
   * Puts what a key of the bucket `catalog` holds now; undefined: nothing any more. What can't be used changes nothing: the
   * version before stays. Returns why it can't, if it can't.
   */
  set(key: string, value: unknown): string | undefined
}

interface SiteCatalog {
  slots: Map<string, Slot>
  contents: Map<string, Content>
  /** Slots that `slotOf` compiled since the last change. */
  ready: Map<string, CompiledSlot>
  clauses: Clauses
}

/**
 * Creates an empty catalog.
 *
 * @param onFaults called with the conditions of a slot that do not compile, each time it is compiled
 */
export function createCatalog(
  onFaults: (siteId: string, slotId: string, faults: readonly string[]) => void = () => {},
): Catalog {
  const sites = new Map<string, SiteCatalog>()

  function siteFor(siteId: string): SiteCatalog {
    const known = sites.get(siteId)
    if (known) return known
    const site: SiteCatalog = { slots: new Map(), contents: new Map(), ready: new Map(), clauses: createClauses() }
    sites.set(siteId, site)
    return site
  }

  return {
    slotOf(siteId, slotId) {
      const site = sites.get(siteId)
      const slot = site?.slots.get(slotId)
      if (!site || !slot) return undefined
      const known = site.ready.get(slotId)
      if (known) return known
      const ready = compileSlot(slot, site.contents.values(), site.clauses)
      site.ready.set(slotId, ready)
      if (ready.faults.length > 0) onFaults(siteId, slotId, ready.faults)
      return ready
    },
    clausesOf: siteId => sites.get(siteId)?.clauses ?? createClauses(),
    set(key, value) {
      if (isCatalogPublishedKey(key)) return undefined
      const [siteId = '', kind, token = ''] = key.split('.')
      const site = siteFor(siteId)
      const id = fromKeyToken(token)
      site.ready.clear()
      site.clauses = createClauses()
      if (kind === 'slot') return replace(site.slots, id, value, checkSlot)
      if (kind === 'content') return replace(site.contents, id, value, checkContent)
      return 'the key names neither a slot nor a content'
    },
  }
}

function replace<T extends { id: string }>(
  entries: Map<string, T>,
  id: string,
  value: unknown,
  check: (raw: unknown) => { ok: true; value: T } | { ok: false; reason: string },
): string | undefined {
  if (value === undefined) {
    entries.delete(id)
    return undefined
  }
  const checked = check(value)
  const reason = checked.ok
    ? checked.value.id === id
      ? undefined
      : `the id is ${checked.value.id}, the key says ${id}`
    : checked.reason
  if (checked.ok && reason === undefined) entries.set(id, checked.value)
  return reason && `${reason}${entries.has(id) ? ': the version before stays' : ''}`
}
