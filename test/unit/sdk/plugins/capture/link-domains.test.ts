// @vitest-environment-options { "url": "https://shop.example/" }
import { afterEach, expect, it, vi } from 'vitest'
import { click, openPage } from '../page.js'

let page: Awaited<ReturnType<typeof openPage>>

afterEach(() => {
  page.close()
  localStorage.clear()
  vi.unstubAllGlobals()
})

it('a link of an SVG carries the id while it is followed, and is as it was after that', async () => {
  page = await openPage(
    { linkDomains: 'sister.example' },
    '<svg><a id="old" xlink:href="https://sister.example/?a=1"><text>x</text></a></svg>',
  )
  const link = document.querySelector('#old')!
  const before = link.outerHTML
  click('#old text')
  expect(link.getAttribute('href')).toMatch(/^https:..sister.example.\?a=1&slotstream_id=/)
  await vi.waitFor(() => expect(link.outerHTML).toBe(before))
})

it('a page over HTTPS puts no id into a link that leaves it in the open', async () => {
  page = await openPage(
    { linkDomains: 'sister.example' },
    '<a id="open" href="http://sister.example/">Open</a><a id="safe" href="https://sister.example/">Safe</a>',
  )
  const followed = ['open', 'safe'].map(id => {
    click(`#${id}`)
    return document.querySelector<HTMLAnchorElement>(`#${id}`)?.href
  })
  expect(followed).toEqual(['http://sister.example/', expect.stringContaining('?slotstream_id=')])
})
