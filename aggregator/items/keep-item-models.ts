import type { ItemPolicy } from '@slotstream/core'
import { fromKeyToken } from '@slotstream/protocol'
import { bucketKeys, type Installation, type Log, type Metrics, type Nats, pause } from '@slotstream/runtime'
import type { ClickHouseServer } from '../clickhouse/client.js'
import { type Identity, joinLeaseGroup, type LeaseGroup } from '../ownership/join-lease-group.js'
import { watchSites } from '../watch-sites.js'
import type { FitRequest, FittedItems } from './fit/fit-items.js'
import { fitInThread } from './fit/fitting-thread.js'
import { fitMetrics } from './metrics.js'
import { watchNeededPolicies } from './needed-policies.js'
import { createItemStore, type ItemStore } from './stored/item-store.js'
import type { ItemManifest } from './stored/manifest.js'

/** Time between two looks at what is due, in milliseconds. */
const LOOK_MS = 1_000

/** Time until a site is fitted again of which nothing was known, or whose fit failed, in milliseconds. */
const AGAIN_MS = 60_000

const RESOURCE = 'items'

export interface KeepItemModelsDeps {
  nats: Nats
  installation: Installation
  /** A user who may read. */
  clickhouse: ClickHouseServer
  /** Time between two fits of a site, in milliseconds. */
  itemModels: { everyMs: number }
  metrics: Metrics
  log: Log
  identity: Identity
}

/** Fits the matrices of items of all sites that rank by them, in one process of several, until it is stopped. */
export async function keepItemModels(deps: KeepItemModelsDeps): Promise<{ stop(): Promise<void> }> {
  const { log } = deps
  let running: { abort: AbortController; ended: Promise<void> } | undefined
  let group: LeaseGroup | undefined

  async function end(): Promise<void> {
    const { abort, ended } = running ?? {}
    running = undefined
    abort?.abort()
    await ended
  }

  group = await joinLeaseGroup({
    ...deps,
    group: 'items',
    resources: [RESOURCE],
    onGain() {
      const abort = new AbortController()
      const isOwner = async () => (await group?.verify(RESOURCE)) === true
      const ended = keepFitting(deps, isOwner, abort.signal).catch(error => {
        if (!abort.signal.aborted) log.error({ err: error }, 'matrices of items are no longer fitted by this process')
      })
      running = { abort, ended }
    },
    onRelease: end,
    onLose: () => void end(),
  })
  return {
    async stop() {
      await group?.stop()
      await end()
    },
  }
}

async function keepFitting(deps: KeepItemModelsDeps, isOwner: () => Promise<boolean>, signal: AbortSignal) {
  const { nats, installation, clickhouse, itemModels, log } = deps
  const store = createItemStore(nats, installation.buckets.itemModels, log)
  const needed = await watchNeededPolicies(nats, installation.buckets, log)
  const including = new Set<string>()
  const sites = await watchSites(
    nats,
    installation.buckets.sites,
    (siteId, site) => void (site?.bots === 'include' ? including.add(siteId) : including.delete(siteId)),
    log,
  )
  const fits = createFits({
    store,
    everyMs: itemModels.everyMs,
    async fit(request) {
      const { siteId } = request
      const contentIds = await contentIdsOf(installation.buckets.catalog, siteId)
      const whole = { ...request, contentIds, includesBots: including.has(siteId) }
      return fitInThread({ clickhouse, request: whole }, signal)
    },
    isOwner,
    metrics: fitMetrics(deps.metrics),
    log,
  })
  try {
    while (!signal.aborted) {
      try {
        await fits.look(needed.bySite(), signal)
      } catch (error) {
        if (!signal.aborted)
          log.warn({ err: error }, 'stored matrices of items could not be looked through, trying again')
      }
      await pause(LOOK_MS, signal).catch(() => {})
    }
  } finally {
    needed.stop()
    sites.stop()
  }
}

async function contentIdsOf(catalog: Installation['buckets']['catalog'], siteId: string): Promise<string[]> {
  const keys = await bucketKeys(catalog, `${siteId}.content.*`)
  return keys.map(key => fromKeyToken(key.split('.')[2] ?? ''))
}

export interface FitsDeps {
  store: Pick<ItemStore, 'readManifests' | 'write' | 'remove'>
  /** Time between two fits of a site, in milliseconds. */
  everyMs: number
  fit: (request: FitRequest) => Promise<FittedItems>
  /** Returns whether this process is the one that fits models; called before it changes anything. */
  isOwner: () => Promise<boolean>
  metrics: ReturnType<typeof fitMetrics>
  log: Log
  /** The clock, in milliseconds since the epoch. Default: the system's */
  now?: () => number
}

/** Creates what decides which site is fitted, and fits it. */
export function createFits({ store, everyMs, fit, isOwner, metrics, log, now = Date.now }: FitsDeps) {
  let stored: Map<string, ItemManifest> | undefined
  let readAt = Number.NEGATIVE_INFINITY
  const triedAt = new Map<string, number>()

  function isDue(siteId: string, policies: readonly ItemPolicy[], manifest: ItemManifest | undefined): boolean {
    if (now() < (triedAt.get(siteId) ?? Number.NEGATIVE_INFINITY) + Math.min(AGAIN_MS, everyMs)) return false
    if (!manifest || manifest.items === 0) return true
    return now() >= manifest.at + everyMs || policies.some(type => !manifest.policies.includes(type))
  }

  async function fitSite(siteId: string, policies: ItemPolicy[], manifests: Map<string, ItemManifest>) {
    const [at, started] = [now(), performance.now()]
    triedAt.set(siteId, at)
    const fitted = await fit({ siteId, policies, now: at })
    if (!(await isOwner())) return
    manifests.set(siteId, await store.write(siteId, { ...fitted, at, policies }))
    const seconds = (performance.now() - started) / 1_000
    const { browsers, items } = fitted
    if (items > 0) triedAt.delete(siteId)
    metrics.fits.inc({ result: 'stored' })
    metrics.seconds.observe(seconds)
    metrics.browsers.set({ site: siteId }, browsers)
    metrics.items.set({ site: siteId }, items)
    log.info(
      { siteId, policies, browsers, items, seconds: Math.round(100 * seconds) / 100 },
      'fitted matrices of items',
    )
  }

  async function removeOthers(needed: ReadonlyMap<string, unknown>, manifests: Map<string, ItemManifest>) {
    for (const siteId of [...manifests.keys()].filter(id => !needed.has(id))) {
      if (!(await isOwner())) return
      await store.remove(siteId)
      manifests.delete(siteId)
      for (const gauge of [metrics.browsers, metrics.items, metrics.age]) gauge.remove({ site: siteId })
      log.info({ siteId }, 'removed matrices of items: no slot ranks by them any more')
    }
  }

  return {
    /** Fits what is due, site by site. A site that fails keeps what it has, and is tried again after a minute. */
    async look(needed: ReadonlyMap<string, ItemPolicy[]>, signal: AbortSignal): Promise<void> {
      // Read again now and then: the bucket may have been lost, or spoilt by another program.
      if (!stored || now() >= readAt + AGAIN_MS) {
        readAt = now()
        stored = await store.readManifests()
      }
      const manifests = stored
      await removeOthers(needed, manifests)
      for (const [siteId, policies] of needed) {
        const manifest = manifests.get(siteId)
        if (manifest) metrics.age.set({ site: siteId }, (now() - manifest.at) / 1_000)
        if (!isDue(siteId, policies, manifest) || !(await isOwner())) continue
        try {
          await fitSite(siteId, policies, manifests)
        } catch (error) {
          if (signal.aborted) return
          stored = undefined
          metrics.fits.inc({ result: 'failed' })
          log.warn({ err: error, siteId }, 'matrices of items could not be fitted, trying again')
        }
      }
    },
  }
}
