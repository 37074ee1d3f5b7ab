import {
  type Content,
  checkContent,
  checkSlot,
  fromKeyToken,
  hash32,
  isCatalogPublishedKey,
  type Slot,
} from '@slotstream/protocol'

/** A slot with what can appear in it. */
export interface CatalogSlot {
  slot: Slot
  contents: Content[]
  /** Changes with the slot's policy and with the content it chooses from. */
  policyVersion: string
}

/** The sites' slots and content, in memory. */
export interface Catalog {
  slotOf(siteId: string, slotId: string): CatalogSlot | undefined
  /**
   * Puts what a key of the bucket `catalog` holds now; undefined: nothing any more. What can't be used counts as
   * nothing. Returns why it can't, if it can't.
   */
  set(key: string, value: unknown): string | undefined
}

interface SiteCatalog {
  slots: Map<string, Slot>
  contents: Map<string, Content>
  /** Slots that `slotOf` put together since the last change. */
  ready: Map<string, CatalogSlot>
}

/** Creates an empty catalog. */
export function createCatalog(): Catalog {
  const sites = new Map<string, SiteCatalog>()

  function siteFor(siteId: string): SiteCatalog {
    const known = sites.get(siteId)
    if (known) return known
    const site: SiteCatalog = { slots: new Map(), contents: new Map(), ready: new Map() }
    sites.set(siteId, site)
    return site
  }

  return {
    slotOf(siteId, slotId) {
      const site = sites.get(siteId)
      const slot = site?.slots.get(slotId)
      if (!site || !slot) return undefined
      const ready = site.ready.get(slotId) ?? putTogether(slot, site.contents)
      site.ready.set(slotId, ready)
      return ready
    },
    set(key, value) {
      if (isCatalogPublishedKey(key)) return undefined
      const [siteId = '', kind, token = ''] = key.split('.')
      const site = siteFor(siteId)
      const id = fromKeyToken(token)
      site.ready.clear()
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
  entries.delete(id)
  if (value === undefined) return undefined
  const checked = check(value)
  if (!checked.ok) return checked.reason
  if (checked.value.id !== id) return `the id is ${checked.value.id}, the key says ${id}`
  entries.set(id, checked.value)
  return undefined
}

/** Content comes in the order of ids, whatever order it was stored in, so that the same catalog draws the same. */
function putTogether(slot: Slot, all: Map<string, Content>): CatalogSlot {
  const contents = [...all.values()]
    .filter(({ slots }) => slots.includes(slot.id))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const facts = contents.map(({ id, category, startsAt, endsAt }) => [id, category, startsAt, endsAt])
  // How orders are credited chooses nothing.
  const { attribution: _chosenByNothing, ...choosing } = slot
  return { slot, contents, policyVersion: hash32(JSON.stringify([choosing, facts])).toString(36) }
}
