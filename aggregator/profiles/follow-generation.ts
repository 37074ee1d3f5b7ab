import { profilesBucket } from '@slotstream/protocol'
import { watchGeneration } from '@slotstream/runtime'
import { type Profiles, type ProfilesParts, startProfiles } from './role.js'

/** Requests that wait in the old generation are answered by it, in milliseconds. */
const LAST_ANSWERS_MS = 2_000

const LOOK_MS = 50

/**
 * The profiles role in the generation that counts: when a rebuild switches to another one, that is loaded and caught
 * up beside the old one, which answers until then.
 */
export async function followProfiles(parts: ProfilesParts): Promise<Profiles> {
  const { nats, installation, metrics, log } = parts
  const generations = metrics.gauge('profiles_generation', 'Generation of the profiles: one more with each rebuild')
  let current = await startProfiles(parts)
  let stopped = false
  let switching = Promise.resolve()
  generations.set(installation.generation)

  const watching = await watchGeneration(
    nats,
    installation.buckets.meta,
    installation.generation,
    generation => {
      switching = switching
        .then(() => reload(generation))
        .catch(error => {
          // Ends the process; whoever supervises it starts it again, in the new generation.
          if (!stopped) throw new Error(`generation ${generation} of the profiles can not be loaded`, { cause: error })
        })
    },
    log,
  )

  async function reload(generation: number): Promise<void> {
    if (stopped) return
    const profiles = await nats.kvm.open(profilesBucket(generation))
    const buckets = { ...installation.buckets, profiles }
    const next = await startProfiles({ ...parts, installation: { ...installation, generation, buckets } })
    while (!stopped && next.missing().length > 0) await pause(LOOK_MS)
    if (stopped) return next.stop()
    const old = current
    current = next
    generations.set(generation)
    log.info({ generation }, 'the profiles of another generation count now')
    await pause(LAST_ANSWERS_MS)
    await old.stop()
  }

  return {
    profileOf: (siteId, visitorId) => current.profileOf(siteId, visitorId),
    waitFor: (partition, seq, deadlineMs) => current.waitFor(partition, seq, deadlineMs),
    missing: () => current.missing(),
    applied: () => current.applied(),
    async stop() {
      stopped = true
      watching.stop()
      await switching
      await current.stop()
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
