import { type Enrichment, finishMessage, type Site } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createEnrich } from '#collector/enrich/enrich.js'

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
const site = (enrichment?: Partial<Enrichment>): Site => ({
  siteId: 'shop',
  name: 'shop',
  writeKeys: ['k'],
  allowedOrigins: ['https://shop.example', '*'],
  debug: false,
  ...(enrichment ? { enrichment } : {}),
})
const places = {
  find: (address: string) => (address === '203.0.113.0' ? { country: 'DE', city: 'Hamburg' } : undefined),
  stop() {},
}

function enriched(message: object, settings?: Partial<Enrichment>, userAgent: string | undefined = CHROME) {
  const enricher = createEnrich(places)(site(settings), { userAgent, address: () => '203.0.113.77' })
  const raw = structuredClone({
    type: 'track',
    event: 'E',
    anonymousId: 'a',
    messageId: 'm',
    ...message,
  }) as Record<string, unknown>
  const redacted = enricher.redact(raw)
  const added = enricher.enrich(raw, redacted?.network)
  return finishMessage(raw, { received: 0 }, added)
}

describe('what is added', () => {
  it('is device, place and way in, by default', () => {
    const page = { url: 'https://shop.example/p?utm_source=x&token=1', referrer: 'https://www.google.com/' }
    expect(enriched({ type: 'page', context: { page } }).context).toEqual({
      browser: { name: 'Chrome', version: '120' },
      os: { name: 'Linux' },
      device: { type: 'desktop' },
      location: { country: 'DE', city: 'Hamburg' },
      traffic: { channel: 'campaign', source: 'x' },
      page: { ...page, url: 'https://shop.example/p?utm_source=x&token=redacted' },
    })
  })

  it('is nothing with everything off', () => {
    const off = { userAgent: false, bots: false, traffic: false, location: false }
    expect(enriched({ context: { page: { url: 'https://shop.example/' } } }, off).context).toEqual({
      page: { url: 'https://shop.example/' },
    })
  })

  it('never replaces what the client says itself', () => {
    const context = { device: { id: 'd-1' }, location: { country: 'FR' } }
    expect(enriched({ context }).context).toMatchObject(context)
  })

  it('is nothing of the machine on which a server library runs', () => {
    const context = { library: { name: '@segment/analytics-node' } }
    expect(enriched({ context }, { ip: 'truncated' }, 'analytics-node/2.0').context).toEqual(context)
  })

  it('is what a server library says of its visitor', () => {
    const context = { library: { name: 'x' }, userAgent: CHROME, ip: '203.0.113.5' }
    expect(enriched({ context }, {}, 'analytics-node/2.0').context).toMatchObject({
      browser: { name: 'Chrome' },
      location: { city: 'Hamburg' },
    })
  })

  it('marks bots', () => {
    expect(enriched({}, {}, 'Googlebot/2.1').context?.bot).toMatchObject({ reason: 'user_agent' })
    expect(enriched({}, { bots: false }, 'Googlebot/2.1').context).not.toHaveProperty('bot')
  })

  it('is a way in for page views and whatever names a page or campaign, no others', () => {
    expect(enriched({}).context).not.toHaveProperty('traffic')
    expect(enriched({ type: 'page' }).context?.traffic).toEqual({ channel: 'direct' })
    expect(enriched({ context: { campaign: { medium: 'cpc', source: 'g' } } }).context?.traffic).toEqual({
      channel: 'paid',
      source: 'g',
    })
  })
})

describe('addresses of visitors', () => {
  it('are not stored', () => {
    expect(enriched({ context: { ip: '198.51.100.7' } }).context).not.toHaveProperty('ip')
  })

  it('are stored as networks where a site wants that', () => {
    expect(enriched({}, { ip: 'truncated' }).context?.ip).toBe('203.0.113.0')
    expect(enriched({ context: { ip: '198.51.100.7' } }, { ip: 'truncated' }).context?.ip).toBe('198.51.100.0')
    expect(enriched({ context: { ip: { nested: 1 } } }, { ip: 'truncated' }).context?.ip).toBe('203.0.113.0')
  })
})

describe('addresses of pages', () => {
  it('lose what the site says is secret, wherever they stand', () => {
    const page = { url: '/?voucher=1&email=2', referrer: 'https://a.example/?voucher=1', search: '?voucher=1' }
    const message = enriched(
      { type: 'page', properties: { ...page, title: '?voucher=1' }, context: { page } },
      { scrub: ['voucher'] },
    )
    const scrubbed = {
      url: '/?voucher=redacted&email=2',
      referrer: 'https://a.example/?voucher=redacted',
      search: '?voucher=redacted',
    }
    expect(message.context?.page).toEqual(scrubbed)
    expect(message.properties).toEqual({ ...scrubbed, title: '?voucher=1' })
  })

  it('of nonsense do no harm', () => {
    const enricher = createEnrich()(site(), { userAgent: undefined, address: () => '' })
    for (const raw of [
      null,
      1,
      [],
      { context: 1 },
      { context: { page: [], ip: [] } },
      { type: 'page', properties: 'x' },
    ])
      expect(enricher.redact(raw)?.network).toBeUndefined()
    expect(enriched({ context: { page: { url: 1, referrer: {} }, campaign: 'x' } }).event).toBe('E')
  })
})
