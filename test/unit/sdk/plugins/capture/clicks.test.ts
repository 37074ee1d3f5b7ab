import { afterEach, describe, expect, it, vi } from 'vitest'
import { safeText } from '#sdk/capture/elements/safe-text.js'
import { selectorOf } from '#sdk/capture/elements/selector-of.js'
import { click, openPage } from '../page.js'

let page: Awaited<ReturnType<typeof openPage>> | undefined

afterEach(() => {
  page?.close()
  page = undefined
  document.body.replaceChildren()
  localStorage.clear()
  vi.unstubAllGlobals()
})

const MARKED = `
  <div data-track="Card Chosen" data-track-plan="pro" data-track-list-name="Plans" data-track-product_id="p1">
    <button id="inside"><i id="icon"></i> Choose</button>
  </div>
  <button id="plain">Open</button>
  <div data-no-track><button id="private" data-track="Secret">No</button></div>
  <p id="text">Text</p>`

describe('clicks', () => {
  it('on marked elements have the name and the properties of the mark', async () => {
    page = await openPage({ clicks: true }, MARKED)
    for (const id of ['icon', 'plain', 'private', 'text']) click(`#${id}`)
    expect(page.tracked.map(({ event, properties }) => [event, properties])).toEqual([
      ['Card Chosen', { plan: 'pro', listName: 'Plans', product_id: 'p1' }],
    ])
  })

  it('on every button and link are reported where that is wanted', async () => {
    page = await openPage({ clicks: 'auto' }, MARKED)
    for (const id of ['inside', 'plain', 'private', 'text']) click(`#${id}`)
    expect(page.tracked.map(({ event, properties }) => [event, properties])).toEqual([
      ['Card Chosen', { plan: 'pro', listName: 'Plans', product_id: 'p1' }],
      ['Element Clicked', { tag: 'button', selector: 'button#plain', text: 'Open' }],
    ])
  })

  it('never report what somebody typed', async () => {
    page = await openPage(
      { clicks: 'auto' },
      `<form><input id="submit" type="submit" value="Pay for ann@example.com" />
        <a href="#x" id="note" contenteditable="true">my secret</a>
        <label><input id="box" type="text" value="secret" /></label>
        <button id="row" type="button"><textarea>secret</textarea></button></form>`,
    )
    for (const id of ['submit', 'note', 'box', 'row']) click(`#${id}`)
    expect(page.tracked.map(({ properties }) => properties.text)).toEqual(['', '', ''])
    expect(JSON.stringify(page.tracked)).not.toContain('secret')
  })

  it('end with the package', async () => {
    page = await openPage({ clicks: true }, MARKED)
    const { tracked, close } = page
    page = undefined
    close()
    document.body.innerHTML = MARKED
    click('#inside')
    expect(tracked).toEqual([])
  })
})

describe('the text of a label', () => {
  const textOf = (text: string) => {
    const element = document.createElement('button')
    element.textContent = text
    return safeText(element)
  }

  it.each([
    ['  Add\n  to cart ', 'Add to cart'],
    ['Log out ann.lee@example.com', 'Log out ***'],
    ['Card 4111 1111 1111 1111', 'Card ***'],
    ['Call +49 30 1234-567', 'Call +***'],
    ['2 of 12, $1,299.00', '2 of 12, $1,299.00'],
    ['x'.repeat(500), 'x'.repeat(100)],
  ])('%j is %j', (text, safe) => {
    expect(textOf(text)).toBe(safe)
  })
})

describe('a selector', () => {
  it('finds its element again', () => {
    document.body.innerHTML = '<main><ul><li><a>1</a></li><li><b>x</b><a>2</a></li></ul></main>'
    for (const element of document.querySelectorAll('main, li, a'))
      expect(document.querySelector(selectorOf(element))).toBe(element)
  })

  it('begins at an id that somebody wrote, not at one that a program made', () => {
    document.body.innerHTML = '<div id="plans"><p id="user-481516"><a>1</a></p><p id="r1a2b3"><a>2</a></p></div>'
    const [first, second] = document.querySelectorAll('a')
    expect(selectorOf(first!)).toBe('div#plans > p:nth-of-type(1) > a')
    expect(selectorOf(second!)).toContain('p#r1a2b3')
  })
})
