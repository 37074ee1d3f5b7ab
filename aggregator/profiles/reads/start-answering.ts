import { type Profile, partitionOf } from '@slotstream/protocol'
import { createSlices, type Log } from '@slotstream/runtime'
import type { SitesDefinitions } from '../definitions/compiled-definitions.js'
import { answerPreviews } from '../preview/answer-previews.js'
import { previewSite } from '../preview/preview-site.js'
import type { ProfileGenerations } from '../profile-generations.js'
import type { Serving } from '../serving.js'
import { answerReads } from './answer-reads.js'
import { describeProfile } from './describe-profile.js'
import { createReadPerson } from './read-persons.js'
import { createReadStored, type ReadStoredDeps } from './read-stored.js'

export interface AnsweringDeps {
  /** Dependencies of reading profiles, also those of other processes, with the connection. */
  reading: ReadStoredDeps
  /** Returns how far a partition is behind its stream, in milliseconds. */
  ageMs: (partition: number) => number
  /** Returns whether this process holds the partition. */
  holds: (partition: number) => boolean
  serving: Serving
  definitions: Pick<SitesDefinitions, 'of'>
  generations: Pick<ProfileGenerations, 'current'>
  log: Log
}

/** Answers requests for profiles, and for previews of segments, of the partitions that this process holds. */
export function startAnswering(deps: AnsweringDeps): { stop(): Promise<void> } {
  const { reading, ageMs, holds, serving, definitions, generations, log } = deps
  const { nats, partitions } = reading
  const { profileOf, serves } = reading
  const readPerson = createReadPerson(createReadStored(reading))
  const describe = async (profile: Profile) => {
    const ofSite = definitions.of(profile.siteId)
    const lackedMs = ageMs(partitionOf(profile.siteId, profile.visitorId, partitions))
    return describeProfile(profile, await readPerson(profile, ofSite.features), ofSite, Date.now(), lackedMs)
  }
  const reads = answerReads({ nats, partitions, profileOf, describe, serves, holds, log })
  serving.listen(reads.set)
  const slice = createSlices()
  const previews = answerPreviews({
    nats,
    preview: (index, { siteId, where }, abort) =>
      previewSite(where, {
        profiles: generations.current.ofSite(index, siteId, abort),
        readPerson,
        definitions: definitions.of(siteId),
        slice,
        abort,
        now: Date.now(),
      }),
    serves,
    holds,
    log,
  })
  serving.listen(previews.set)
  return {
    async stop() {
      await Promise.all([reads.stop(), previews.stop()])
    },
  }
}
