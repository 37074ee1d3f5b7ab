import { afterEach, describe, expect, it, vi } from 'vitest'
import { isUnder } from '#sdk/capture/domains.js'
import { consent, type Options } from '#sdk/entries/index.js'
import { click, openPage } from '../page.js'

let page: Awaited<ReturnType<typeof openPage>>
const open = async (options: Partial<Options>, markup: string) => {
  page = await openPage(options, markup)
  return page
}

afterEach(() => {
  page.close()
  localStorage.clear()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const LINKS = `
  <a id="own" href="/shoes?a=1">Shoes</a>
  <a id="other" href="https://other.example/a/b?token=secret#x"><b> See
    more</b> of ann@example.com</a>
  <a id="sister" href="https://pay.sister.example/">Pay</a>
  <a id="private" data-no-track href="https://other.example/">Private</a>
  <a id="mail" href="mailto:ann@example.com">Write</a>
  <a id="file" href="/files/Price%20List.PDF?sig=secret">Prices</a>
  <a id="elsewhere" href="https://other.example/tool.zip">Tool</a>
  <a id="named" href="/export" download="export.json">Export</a>
  <button id="button">Buy</button>`

describe('outbound links', () => {
  it('are reported when they are followed, without what an address may hold', async () => {
    const { tracked } = await open({ outboundLinks: true }, LINKS)
    for (const id of ['own', 'other', 'private', 'mail', 'button']) click(`#${id}`)
    expect(tracked.map(({ event, properties }) => [event, properties])).toEqual([
      ['Outbound Link Clicked', { url: 'https://other.example/a/b', host: 'other.example', text: 'See more of ***' }],
    ])
  })

  it('are those of images and of SVGs, too', async () => {
    const { tracked } = await open(
      { outboundLinks: true, downloads: true, clicks: 'auto' },
      `<map name="m"><area id="area" href="https://other.example/map?a=1" alt="North"></map>
      <svg><a id="svg" href="https://other.example/svg#x"><text>South</text></a>
      <a id="old" xlink:href="https://other.example/old"><text>West</text></a>
      <a id="file" href="/plan.pdf"><text>Plan</text></a><a id="none"><text>Nowhere</text></a></svg>`,
    )
    for (const id of ['area', 'svg text', 'old', 'file', 'none']) click(`#${id}`)
    expect(tracked.filter(({ event }) => event !== 'Element Clicked').map(({ properties }) => properties)).toEqual([
      { url: 'https://other.example/map', host: 'other.example', text: 'North' },
      { url: 'https://other.example/svg', host: 'other.example', text: 'South' },
      { url: 'https://other.example/old', host: 'other.example', text: 'West' },
      { url: expect.stringMatching(/\/plan.pdf$/), name: 'plan.pdf', extension: 'pdf', text: 'Plan' },
    ])
    expect(tracked.filter(({ event }) => event === 'Element Clicked').map(({ properties }) => properties.text)).toEqual(
      ['North', 'South', 'West', 'Plan', 'Nowhere'],
    )
  })

  it('count with the middle button, and not with the right one', async () => {
    const { tracked } = await open({ outboundLinks: true }, LINKS)
    click('#other', 'auxclick', 1)
    click('#other', 'auxclick', 2)
    expect(tracked).toHaveLength(1)
  })

  it('do not lead to other domains of the owner', async () => {
    const { tracked } = await open({ outboundLinks: true, linkDomains: ['sister.example'] }, LINKS)
    click('#sister')
    expect(tracked).toEqual([])
  })

  it('are found inside a shadow root', async () => {
    const { tracked } = await open({ outboundLinks: true }, '<div id="host"></div>')
    const root = document.querySelector('#host')?.attachShadow({ mode: 'open' })
    root?.replaceChildren(Object.assign(document.createElement('a'), { href: 'https://other.example/', id: 'in' }))
    const stay = (event: Event) => event.preventDefault()
    window.addEventListener('click', stay, { once: true })
    root
      ?.querySelector('a')
      ?.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true, cancelable: true }))
    expect(tracked).toHaveLength(1)
  })
})

describe('downloads', () => {
  it('are links to files, by their ending or their mark', async () => {
    const { tracked } = await open({ downloads: true }, LINKS)
    for (const id of ['own', 'other', 'file', 'elsewhere', 'named']) click(`#${id}`)
    expect(tracked.map(({ properties }) => properties)).toEqual([
      { url: `${location.origin}/files/Price%20List.PDF`, name: 'Price%20List.PDF', extension: 'pdf', text: 'Prices' },
      { url: 'https://other.example/tool.zip', name: 'tool.zip', extension: 'zip', text: 'Tool' },
      { url: `${location.origin}/export`, name: 'export.json', extension: 'json', text: 'Export' },
    ])
  })

  it('of another site are one event, not two', async () => {
    const { names } = await open({ downloads: true, outboundLinks: true }, LINKS)
    click('#elsewhere')
    expect(names()).toEqual(['File Downloaded'])
  })
})

describe('links to the domains of one owner', () => {
  const linked = () => {
    let href = ''
    const read = (event: Event) => {
      href = (event.target as HTMLAnchorElement).href
    }
    window.addEventListener('click', read, { once: true })
    click('#sister')
    return new URL(href).searchParams.get('slotstream_id')
  }

  it('carry the visitor for the moment they are followed', async () => {
    await open({ linkDomains: 'other.org sister.example' }, LINKS)
    const id = linked()
    expect(id?.split('.')[0]).toBe(localStorage.getItem('slotstream.anonymousId'))
    expect(Date.now() - Number(id?.split('.')[1])).toBeLessThan(5_000)
    await vi.waitFor(() =>
      expect(document.querySelector('#sister')?.getAttribute('href')).toBe('https://pay.sister.example/'),
    )
  })

  it('carry nobody to other sites, without consent, or where nothing is to be remembered', async () => {
    await open({ linkDomains: ['sister.example'] }, LINKS.replace('id="other"', 'id="other" class="o"'))
    click('#other')
    expect(document.querySelector<HTMLAnchorElement>('#other')?.href).not.toContain('slotstream_id')
    page.close()
    await open({ linkDomains: ['sister.example'], consent: 'pending' }, LINKS)
    expect(linked()).toBeNull()
    consent('granted')
    expect(linked()).not.toBeNull()
    localStorage.clear()
    page.close()
    await open({ linkDomains: ['sister.example'], cookieless: true }, LINKS)
    expect(linked()).toBeNull()
  })

  it('are those of a domain and below it, not of one that only ends alike', () => {
    const domains = ['sister.example']
    expect(['sister.example', 'a.b.sister.example', 'sister.example:8080'].map(host => isUnder(host, domains))).toEqual(
      [true, true, true],
    )
    expect(['evilsister.example', 'sister.example.evil.test', 'example'].map(host => isUnder(host, domains))).toEqual([
      false,
      false,
      false,
    ])
  })
})
