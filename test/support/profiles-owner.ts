import { startProfiles } from '@slotstream/aggregator'
import {
  connectNats,
  createLog,
  createMetrics,
  createPublisher,
  provision,
  sharedSettings,
  watchTombstones,
} from '@slotstream/runtime'
import type { ProfilesDeps } from '#aggregator/profiles/role.js'
import { someIdentity } from './some-identity.js'
import { until } from './until.js'

const log = createLog('test')
log.level = 'silent'

/**
 * A process with the role profiles, as far as NATS can tell, which answers for all partitions.
 *
 * @param more changes what it is started with
 * @param least for how many partitions it answers at least. Default: all
 */
export async function startOwner(
  url: string,
  name: string,
  partitions: number,
  more: (deps: ProfilesDeps) => Partial<ProfilesDeps> = () => ({}),
  least = partitions,
) {
  const nats = await connectNats(url, 'aggregator', log)
  const installation = await provision(nats, sharedSettings({ PARTITIONS: String(partitions) }), log)
  const publisher = createPublisher(nats)
  const metrics = createMetrics()
  const tombstones = await watchTombstones(nats, installation, log)
  const parts = { nats, publisher, installation, metrics, log }
  const deps: ProfilesDeps = { ...parts, tombstones, identity: someIdentity(name), fillRate: 0 }
  const profiles = await startProfiles({ ...deps, ...more(deps) })
  await until(
    'it answers for its partitions',
    () => profiles.applied().filter(({ partition }) => profiles.serves(partition)).length,
    count => count >= least,
  )
  return {
    ...parts,
    profiles,
    /** Ends as a process does whose machine lost its power: nothing is stored, and no lease given back. */
    async kill() {
      tombstones.stop()
      publisher.close()
      await nats.close()
      await profiles.stop().catch(() => {})
    },
    async stop() {
      await profiles.stop()
      tombstones.stop()
      publisher.close()
      await nats.close()
    },
  }
}

export type Owner = Awaited<ReturnType<typeof startOwner>>
