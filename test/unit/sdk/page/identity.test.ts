import { describe, expect, it, vi } from 'vitest'
import * as slotstream from '#sdk/entries/index.js'
import { flushLater, hide, messages, names, requests, start, withPage } from './some-page.js'

withPage()

describe('a page', () => {
  it('knows a person until reset', async () => {
    start()
    slotstream.identify('ann', { plan: 'pro' })
    slotstream.track('A')
    slotstream.alias('anna')
    slotstream.group('acme')
    slotstream.reset()
    slotstream.track('B')
    await slotstream.flush()
    const [, identify, a, alias, group, b] = messages()
    expect([identify, a, group].map(it => it?.userId)).toEqual(['ann', 'ann', 'ann'])
    expect(alias).toMatchObject({ userId: 'anna', previousId: 'ann' })
    expect(b?.userId).toBeUndefined()
    expect(b?.anonymousId).not.toBe(a?.anonymousId)
    expect(b?.context.sessionId).not.toBe(a?.context.sessionId)
  })

  it('is a new visitor for another person, but for one who was anonymous or got a new name', async () => {
    start({ autoPage: false, properties: { shop: 'north' } })
    slotstream.track('Anonymous')
    slotstream.identify('alice')
    slotstream.setProperties({ plan: 'pro' })
    slotstream.identify('alice', { plan: 'pro' })
    slotstream.alias('alice@example.com')
    slotstream.identify('alice@example.com')
    slotstream.track('Alice')
    slotstream.identify('bob')
    slotstream.track('Bob')
    slotstream.identify('alice')
    await slotstream.flush()
    const sent = messages()
    const visitors = [...new Set(sent.map(({ anonymousId }) => anonymousId))]
    expect(sent.map(({ anonymousId }) => visitors.indexOf(anonymousId))).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 2])
    const sessions = sent.map(({ context }) => context.sessionId)
    expect(new Set(sessions).size).toBe(3)
    expect(sessions[5]).not.toBe(sessions[6])
    expect(sent[5]?.properties).toEqual({ shop: 'north', plan: 'pro' })
    expect(sent[7]).toMatchObject({ userId: 'bob', properties: { shop: 'north' } })
  })

  it('goes on as before after an id that is none', async () => {
    const warned = vi.spyOn(console, 'error').mockImplementation(() => {})
    start({ autoPage: false })
    for (const none of [{ email: 'a@example.com' }, 'undefined', 'x'.repeat(400), 2 ** 60])
      for (const call of [slotstream.identify, slotstream.group, slotstream.alias]) call(none as string)
    slotstream.track('A')
    await slotstream.flush()
    expect(messages()).toMatchObject([{ event: 'A' }])
    expect(messages()[0]?.userId).toBeUndefined()
    expect(warned).toHaveBeenCalledTimes(12)
    warned.mockRestore()
  })

  describe('whose address has a linked id', () => {
    const link = () => `/start?a=1&slotstream_id=0198-ab.${Date.now()}&b=2#top`
    const from = (referrer: string) => vi.spyOn(document, 'referrer', 'get').mockReturnValue(referrer)

    it('takes it over from a domain of the owner, and takes it out of the address', async () => {
      from('https://sister.example/')
      history.replaceState(null, '', link())
      slotstream.track('Early')
      await start({ linkedId: true, linkDomains: 'sister.example' })
      await slotstream.flush()
      expect(messages().map(({ anonymousId }) => anonymousId)).toEqual(['0198-ab', '0198-ab'])
      expect(location.href).toMatch(/\/start\?a=1&b=2#top$/)
      expect(JSON.stringify(requests)).not.toContain('slotstream_id')
    })

    it.each(['https://evil.example/', ''])('takes it out only, when it came from %j', async referrer => {
      from(referrer)
      history.replaceState(null, '', link())
      await start({ linkedId: true, linkDomains: 'sister.example' })
      await slotstream.flush()
      expect(messages()[0]?.anonymousId).toMatch(/^[0-9a-f-]{36}$/)
      expect(location.href).toMatch(/\/start\?a=1&b=2#top$/)
      expect(JSON.stringify(requests)).not.toContain('slotstream_id')
    })

    it('sends what was tracked when it ends before the id could be read', () => {
      from('https://sister.example/')
      history.replaceState(null, '', link())
      slotstream.init({
        writeKey: 'demo',
        endpoint: 'https://c.example',
        linkedId: true,
        linkDomains: 'sister.example',
      })
      slotstream.track('Early')
      hide()
      expect(names()).toEqual(['page', 'Early'])
    })

    it('can be ended before the id could be read', async () => {
      from('https://sister.example/')
      history.replaceState(null, '', link())
      slotstream.init({
        writeKey: 'demo',
        endpoint: 'https://c.example',
        linkedId: true,
        linkDomains: 'sister.example',
      })
      slotstream.destroy()
      await vi.advanceTimersByTimeAsync(2).then(vi.dynamicImportSettled)
      expect(slotstream.consent()).toBeUndefined()
    })

    it('takes no notice of it without the option', async () => {
      from('https://sister.example/')
      history.replaceState(null, '', link())
      await start({ linkDomains: 'sister.example' })
      await slotstream.flush()
      expect(messages()[0]?.anonymousId).not.toBe('0198-ab')
    })
  })

  it('keeps the signature with the user id, and sends it with that id only', async () => {
    start()
    slotstream.identify('ann', { plan: 'pro' }, { signature: 'a1' })
    slotstream.track('A')
    slotstream.alias('anna')
    await slotstream.personalize('hero')
    slotstream.identify('bob')
    slotstream.track('B')
    slotstream.identify('ann', {}, { signature: 'a2' })
    slotstream.reset()
    slotstream.track('C')
    await flushLater()
    expect(messages().map(({ context, userId }) => [userId, context.identity])).toEqual([
      [undefined, undefined],
      ['ann', { signature: 'a1' }],
      ['ann', { signature: 'a1' }],
      ['anna', undefined],
      ['bob', undefined],
      ['bob', undefined],
      ['ann', { signature: 'a2' }],
      [undefined, undefined],
    ])
    expect(requests.find(({ body }) => body.slots)?.body).toMatchObject({ userId: 'ann', signature: 'a1' })
  })

  it('takes its id from the cookie where storage was cleared', async () => {
    // biome-ignore lint/suspicious/noDocumentCookie: jsdom has no other
    document.cookie = 'slotstream_id=0198-cd'
    start({ idCookie: true })
    await slotstream.flush()
    expect(messages()[0]?.anonymousId).toBe('0198-cd')
    slotstream.reset()
    slotstream.track('B')
    await slotstream.flush()
    expect(messages()[1]?.anonymousId).not.toBe('0198-cd')
    expect(document.cookie).toBe('')
  })
})
