import type { KV, KvEntry, KvWatchEntry } from '@nats-io/kv'
import { BUCKETS, keySubject, type Site } from '@slotstream/protocol'
import { ifUnchanged, type Nats } from '@slotstream/runtime'

/** All entries of the bucket `sites`, and the number of its last change. */
export interface SiteEntries {
  entries: KvEntry[]
  revision: number
}

/** The bucket `sites` as a list that is changed as a whole, because a key belongs to one site of all. */
export interface SiteBucket {
  read(): Promise<SiteEntries>
  /** Writes a site if nothing in the bucket has changed since `after`. Resolves to whether it was written. */
  write(site: Site, after: number): Promise<boolean>
}

/** Opens the bucket for changes. */
export function createSiteBucket({ js }: Pick<Nats, 'js'>, bucket: Pick<KV, 'status' | 'watch'>): SiteBucket {
  return {
    async read() {
      const { values, streamInfo } = await bucket.status()
      const revision = streamInfo.state.last_seq
      return { revision, entries: values === 0 ? [] : await entriesUpTo(await bucket.watch(), revision) }
    },
    async write(site, after) {
      const subject = keySubject(BUCKETS.sites, site.siteId)
      const publish = () => js.publish(subject, JSON.stringify(site), { expect: { lastSequence: after } })
      return (await ifUnchanged(publish)) !== undefined
    },
  }
}

async function entriesUpTo(watch: Awaited<ReturnType<KV['watch']>>, revision: number): Promise<KvEntry[]> {
  const entries: KvWatchEntry[] = []
  for await (const entry of watch) {
    entries.push(entry)
    // By number, too, as `watchBucket` has it: nats-server 2.9 may say for ever that one more is to come.
    if (entry.delta === 0 || entry.revision >= revision) break
  }
  watch.stop()
  return entries
}
