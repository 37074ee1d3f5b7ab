import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { parseJson } from '#cli/list-folder.js'
import { objectOf } from '#collector/admin/admin-request.js'

const BIG = '175928847299117063'

const bodyOf = (text: string) =>
  objectOf(Object.assign(Readable.from([Buffer.from(text)]), { headers: {} }) as unknown as IncomingMessage)

describe('the body of an admin request', () => {
  it('keeps the digits of whole numbers, as text, wherever they are, and leaves everything else as it is', async () => {
    const content = `{"id":"a","price":12.5,"where":{"traits.n":${BIG}},"attributes":{"ids":[-${BIG},7]},
      "payload":{"sku":${BIG},"text":"${BIG}","small":9007199254740991,"half":0.5,"none":null}}`
    const kept = {
      ...{ id: 'a', price: 12.5, where: { 'traits.n': BIG }, attributes: { ids: [`-${BIG}`, 7] } },
      payload: { sku: BIG, text: BIG, small: 9007199254740991, half: 0.5, none: null },
    }
    expect(await bodyOf(content)).toEqual(kept)
    expect(await bodyOf(`{"content":[${content}],"revision":3}`)).toEqual({ content: [kept], revision: 3 })
  })

  it('is as it was parsed where no number is too large', async () => {
    expect(await bodyOf('{"payload":{"n":1,"__proto__":2}}')).toEqual(JSON.parse('{"payload":{"n":1,"__proto__":2}}'))
  })
})

it('a file of the command has them as the collector does', () => {
  const file = `\uFEFF[{"id":"a","payload":{"sku": ${BIG} },"given":{"traits":{"n":[1, ${BIG}]}}}]`
  const kept = { id: 'a', payload: { sku: BIG }, given: { traits: { n: [1, BIG] } } }
  expect(parseJson('content.json', file)).toEqual([kept])
  expect(() => parseJson('content.json', `[${BIG}, "`)).toThrow('content.json')
})
