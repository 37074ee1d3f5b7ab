import type { EventEnvelope } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { DEFAULT_DEFINITIONS } from '#aggregator/profiles/definitions/compiled-definitions.js'
import { describeProfile } from '#aggregator/profiles/reads/describe-profile.js'
import { createReadPerson } from '#aggregator/profiles/reads/read-persons.js'
import { applyEnvelope } from '#core/profile/apply.js'

const NOW = Date.UTC(2026, 0, 10)

/** Returns the marks of a feature in the answer about a visitor of so many categories. */
async function marksOf(name: string, categories: number): Promise<unknown> {
  const timestamp = new Date(NOW).toISOString()
  const envelope: EventEnvelope = {
    ...{ siteId: 'shop', visitorId: 'anna', receivedAt: timestamp },
    messages: Array.from({ length: categories }, (_, n) => ({
      ...{ messageId: `m${n}`, type: 'track', event: 'Product Viewed', anonymousId: 'anna', timestamp },
      properties: { category: `c${n}` },
    })),
  }
  const profile = applyEnvelope(undefined, envelope, 1)!
  const person = await createReadPerson(async () => [])(profile, DEFAULT_DEFINITIONS.features)
  const { features } = describeProfile(profile, person, DEFAULT_DEFINITIONS, NOW) as {
    features: Record<string, object>
  }
  const { approximate, narrowed } = features[name] as Record<string, unknown>
  return { approximate, narrowed }
}

it('an answer says of a value that it is approximate, and nothing of one that is exact', async () => {
  expect(await marksOf('category_affinity', 100)).toEqual({ approximate: undefined, narrowed: undefined })
  expect(await marksOf('category_affinity', 101)).toEqual({ approximate: true, narrowed: undefined })
  expect(await marksOf('page_views', 101)).toEqual({ approximate: undefined, narrowed: undefined })
})
