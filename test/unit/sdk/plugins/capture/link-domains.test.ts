// @vitest-environment-options { "url": "https://shop.example/" }
import { afterEach, expect, it, vi } from 'vitest'
import { click, openPage } from '../page.js'

let page: Awaited<ReturnType<typeof openPage>>

afterEach(() => {
  page.close()
  localStorage.clear()
  vi.unstubAllGlobals()
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
