import { compileSegments } from '@slotstream/core'
import type { EventEnvelope, Profile } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_DEFINITIONS } from '#aggregator/profiles/definitions/compiled-definitions.js'
import { previewSite } from '#aggregator/profiles/preview/preview-site.js'
import { describeProfile } from '#aggregator/profiles/reads/describe-profile.js'
import { createReadPerson } from '#aggregator/profiles/reads/read-persons.js'
import { applyEnvelope } from '#core/profile/apply.js'

const NOW = Date.UTC(2026, 0, 10)
const segments = compileSegments([{ name: 'readers', where: { 'features.page_views': { $gte: 1 } } }])
if (!segments.ok) throw new Error(segments.reason)
const definitions = { ...DEFAULT_DEFINITIONS, segments: segments.value }
const readPerson = createReadPerson(async () => [])

/** A browser that viewed so many pages, a tenth of a second apart. */
function profileOf(anonymousId: string, pages: number): Profile {
  const envelope: EventEnvelope = {
    siteId: 'shop',
    visitorId: anonymousId,
    receivedAt: new Date(NOW).toISOString(),
    messages: Array.from({ length: pages }, (_, n) => ({
      messageId: `${anonymousId}-${n}`,
      type: 'page',
      anonymousId,
      timestamp: new Date(NOW - 60_000 + n * 100).toISOString(),
    })),
  }
  return applyEnvelope(undefined, envelope, 1)!
}

const [person, program] = [profileOf('person', 9), profileOf('program', 200)]

async function described(profile: Profile, includesBots: boolean) {
  const found = await readPerson(profile, definitions.features)
  return describeProfile(profile, found, { ...definitions, includesBots }, NOW)
}

async function previewed(includesBots: boolean) {
  async function* profiles() {
    yield* [person, program]
  }
  return previewSite(
    { 'features.page_views': { $gte: 1 } },
    {
      profiles: profiles(),
      readPerson,
      definitions: { ...definitions, includesBots },
      slice: () => undefined,
      abort: new AbortController().signal,
      now: NOW,
    },
  )
}

describe('a visitor who seems to be a program', () => {
  it('is said to be one, and in no segment, unless the site wants it', async () => {
    expect(await described(person, false)).toMatchObject({
      segments: ['readers'],
      suspicion: { isBot: false, reasons: [] },
    })
    const suspicion = { isBot: true, reasons: ['rate'] }
    expect(await described(program, false)).toMatchObject({ segments: [], suspicion })
    expect(await described(program, true)).toMatchObject({ segments: ['readers'], suspicion })
  })

  it('is in no preview, unless the site wants it', async () => {
    expect(await previewed(false)).toMatchObject({ size: 1, in: ['person'] })
    expect(await previewed(true)).toMatchObject({ size: 2 })
  })
})
