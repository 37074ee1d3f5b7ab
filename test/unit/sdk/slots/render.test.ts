import { describe, expect, it, vi } from 'vitest'
import { setAttribute } from '#sdk/slots/render/attributes.js'
import { renderItem } from '#sdk/slots/render/render.js'

function render(markup: string, payload: Record<string, unknown>) {
  const template = document.createElement('template')
  template.innerHTML = markup
  const host = document.createElement('div')
  const log = vi.fn()
  host.append(renderItem(template, { contentId: 'c', position: 1, payload }, log))
  return { html: host.innerHTML, host, log }
}

describe('a template', () => {
  it('takes text and attributes from the payload', () => {
    const { host } = render('<a data-attr="href:url; title : name"><b data-text="name">?</b></a>', {
      url: '/shoes?a=1',
      name: 'Shoes',
    })
    expect(host.querySelector('a')?.getAttribute('href')).toBe('/shoes?a=1')
    expect(host.querySelector('a')?.title).toBe('Shoes')
    expect(host.textContent).toBe('Shoes')
  })
  it('writes markup in a payload as text', () => {
    const { host } = render('<b data-text="name"></b>', { name: '<img src=x onerror=alert(1)>' })
    expect(host.querySelector('img')).toBeNull()
    expect(host.textContent).toBe('<img src=x onerror=alert(1)>')
  })
  it('keeps its own where the payload has nothing', () => {
    const { html } = render('<b data-text="name" data-attr="title:toString">own</b>', { name: null })
    expect(html).toBe('<b data-text="name" data-attr="title:toString">own</b>')
  })
  it('shows zero and false', () => {
    expect(render('<b data-text="a"></b><i data-text="b"></i>', { a: 0, b: false }).host.textContent).toBe('0false')
  })
  it.each(['script', 'style', 'template', 'iframe', 'xmp', 'noscript', 'noembed', 'noframes'])(
    'writes nothing into <%s>',
    name => {
      const { html, log } = render(`<${name} data-text="x" data-attr="title:x"></${name}>`, { x: 'alert(1)' })
      expect(html).not.toContain('alert')
      expect(log.mock.calls.map(([reason, what]) => [reason, what])).toEqual([
        ['refused', 'text'],
        ['refused', 'title'],
      ])
    },
  )
  it.each(['script', 'style'])('writes nothing into the <%s> of an SVG', name => {
    expect(render(`<svg><${name} data-text="x"></${name}></svg>`, { x: 'alert(1)' }).html).not.toContain('alert')
  })
  it('says in the log what it refused', () => {
    expect(render('<a data-attr="onclick:x"></a>', { x: 'alert(1)' }).log).toHaveBeenCalledOnce()
  })
})

describe('attributes', () => {
  const set = (tag: string, name: string, value: string) => setAttribute(document.createElement(tag), name, value)

  it.each([
    ['a', 'onclick', 'alert(1)'],
    ['a', 'OnMouseOver', 'alert(1)'],
    ['div', 'style', 'background:url(//evil)'],
    ['div', 'srcdoc', '<script>1</script>'],
    ['a', 'href', 'javascript:alert(1)'],
    ['a', 'HREF', ' JaVaScRiPt:alert(1)'],
    ['a', 'href', 'java\nscript:alert(1)'],
    ['a', 'href', '\u0001javascript:alert(1)'],
    ['a', 'href', 'data:text/html,<script>1</script>'],
    ['a', 'href', 'vbscript:x'],
    ['a', 'xlink:href', 'javascript:1'],
    ['button', 'formaction', 'javascript:1'],
    ['form', 'action', 'javascript:1'],
    ['script', 'src', 'https://evil.example/x.js'],
    ['iframe', 'src', 'https://evil.example/'],
    ['object', 'data', 'https://evil.example/'],
    ['base', 'href', 'https://evil.example/'],
    ['animate', 'values', 'javascript:1'],
    ['set', 'to', 'javascript:1'],
    ['meta', 'http-equiv', 'refresh'],
    ['meta', 'content', '0;url=https://evil.example/'],
    ['link', 'rel', 'stylesheet'],
    ['link', 'href', 'https://evil.example/'],
    ['embed', 'src', 'https://evil.example/'],
    ['form', 'action', 'https://evil.example/'],
    ['button', 'formaction', 'https://evil.example/'],
    ['a', 'ping', 'https://evil.example/'],
    ['a', 'target', 'other'],
    ['a', 'rel', 'opener'],
    ['a', 'href', '\tjava\r\nscript:alert(1)'],
    ['a', 'href', 'blob:https://shop.example/1'],
    ['a', 'href', 'filesystem:https://shop.example/1'],
    ['a', 'href', 'data:image/png;base64,AAAA'],
    ['img', 'src', 'data:text/html,1'],
    ['img', 'src', 'javascript:1'],
    ['img', 'srcset', 'javascript:1 2x'],
    ['img', 'name', 'currentScript'],
    ['div', 'id', 'slotstream'],
    ['div', 'is', 'x-y'],
    ['div', 'nonce', 'x'],
    ['script', 'integrity', 'x'],
    ['script', 'data-x', 'x'],
    ['animate', 'attributeName', 'href'],
    ['animate', 'from', 'javascript:1'],
    ['use', 'href', 'https://evil.example/#x'],
    ['image', 'href', 'https://evil.example/'],
    ['x-card', 'src', 'javascript:1'],
    ['input', 'type', 'image'],
  ])('of <%s> refuse %s=%j', (tag, name, value) => {
    expect(set(tag, name, value)).toBe(false)
  })

  it.each([
    ['a', 'href', 'https://shop.example/a'],
    ['a', 'href', '/a?b=c:d'],
    ['a', 'href', 'mailto:a@b.example'],
    ['img', 'src', 'images/a.svg'],
    ['img', 'alt', 'Note: javascript: is a word'],
    ['a', 'data-product', 'x'],
    ['a', 'aria-label', 'Shoes'],
    ['a', 'href', 'tel:+4912345'],
    ['area', 'href', '#top'],
    ['img', 'src', 'data:image/svg+xml,<svg/>'],
    ['video', 'poster', 'https://shop.example/a.jpg'],
    ['progress', 'value', '0.5'],
    ['x-card', 'data-id', '1'],
  ])('of <%s> take %s=%j', (tag, name, value) => {
    expect(set(tag, name, value)).toBe(true)
  })
})
