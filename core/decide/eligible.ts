import type { Content } from '@slotstream/protocol'

export interface Eligibility {
  eligible: Content[]
  excluded: { contentId: string; reason: 'not_started' | 'ended' }[]
}

/**
 * Sorts out what may not be shown at `now` (milliseconds since the epoch): before `startsAt`, or from `endsAt` on.
 * To be asked last, after every cache: what has ended must not come back from one.
 */
export function eligibleAt(now: number, contents: Content[]): Eligibility {
  const eligible: Content[] = []
  const excluded: Eligibility['excluded'] = []
  for (const content of contents) {
    if (content.startsAt !== undefined && now < Date.parse(content.startsAt))
      excluded.push({ contentId: content.id, reason: 'not_started' })
    else if (content.endsAt !== undefined && now >= Date.parse(content.endsAt))
      excluded.push({ contentId: content.id, reason: 'ended' })
    else eligible.push(content)
  }
  return { eligible, excluded }
}
