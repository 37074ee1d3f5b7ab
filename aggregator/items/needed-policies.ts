import { type ItemPolicy, itemPoliciesOf } from '@slotstream/core'
import { BUCKETS, checkSlot, parseStoredExperiments, siteOfExperimentsKey } from '@slotstream/protocol'
import { type Installation, type Log, type Nats, parseEntry, skipEntry, watchBucket } from '@slotstream/runtime'

/** Says which sites rank by matrices of items. */
export interface NeededPolicies {
  /** Returns, by site, the policies that its slots and arms use. Sites without any are absent. */
  bySite(): Map<string, ItemPolicy[]>
  stop(): void
}

/** Follows the catalogs and experiments of all sites. An entry that can't be used leaves what was needed before. */
export async function watchNeededPolicies(
  nats: Nats,
  { catalog, definitions }: Pick<Installation['buckets'], 'catalog' | 'definitions'>,
  log: Log,
): Promise<NeededPolicies> {
  /** Needs of each key of a bucket. */
  const needed = new Map<string, { siteId: string; policies: ItemPolicy[] }>()

  function put(key: string, siteId: string, policies: ItemPolicy[]): void {
    if (policies.length > 0) needed.set(key, { siteId, policies })
    else needed.delete(key)
  }

  const slots = await watchBucket(
    nats,
    catalog,
    entry => {
      const [siteId = '', kind] = entry.key.split('.')
      if (kind !== 'slot') return
      const key = `${BUCKETS.catalog} ${entry.key}`
      if (entry.operation !== 'PUT') return put(key, siteId, [])
      const parsed = parseEntry(entry, checkSlot)
      // Processes that decide say in their logs what can't be used.
      if (parsed.ok) put(key, siteId, itemPoliciesOf(parsed.value.policy))
    },
    log,
  )
  const experiments = await watchBucket(
    nats,
    definitions,
    entry => {
      const siteId = siteOfExperimentsKey(entry.key)
      if (siteId === undefined) return
      const key = `${BUCKETS.definitions} ${entry.key}`
      if (entry.operation !== 'PUT') return put(key, siteId, [])
      const parsed = parseEntry(entry, parseStoredExperiments)
      if (!parsed.ok) return skipEntry(log, BUCKETS.definitions, { key: entry.key }, parsed.reason)
      const policies = parsed.value.flatMap(({ arms }) => arms.flatMap(({ policy }) => policy ?? []))
      put(key, siteId, policies.flatMap(itemPoliciesOf))
    },
    log,
  )

  return {
    bySite() {
      const sites = new Map<string, Set<ItemPolicy>>()
      for (const { siteId, policies } of needed.values())
        sites.set(siteId, new Set([...(sites.get(siteId) ?? []), ...policies]))
      return new Map([...sites].map(([siteId, policies]) => [siteId, [...policies].sort()]))
    },
    stop() {
      slots.stop()
      experiments.stop()
    },
  }
}
