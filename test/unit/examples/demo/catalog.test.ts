import { existsSync, readFileSync } from 'node:fs'
import { checkContent, checkSlot } from '@slotstream/protocol'
import { expect, it } from 'vitest'

const demo = new URL('../../../../examples/demo/', import.meta.url)
const catalog = JSON.parse(readFileSync(new URL('catalog.json', demo), 'utf8')) as {
  slots: { id: string }[]
  content: { id: string; slots: string[]; category: string; payload: Record<string, string> }[]
}

it('is a catalog that the admin API takes', () => {
  for (const slot of catalog.slots) expect(checkSlot(slot)).toMatchObject({ ok: true })
  for (const content of catalog.content) expect(checkContent(content)).toMatchObject({ ok: true })
})

it('names only slots, images and pages that there are', () => {
  const slots = catalog.slots.map(slot => slot.id)
  for (const { slots: wanted, payload } of catalog.content) {
    expect(slots).toEqual(expect.arrayContaining(wanted))
    for (const path of [payload.image, payload.url]) {
      const file = new URL((path as string).replace('/demo/', ''), demo)
      expect(existsSync(new URL(file.pathname, demo)), file.pathname).toBe(true)
    }
  }
})

it('agrees with the shop on names and prices', async () => {
  const { products } = (await import(new URL('products.js', demo).href)) as {
    products: { id: string; name: string; category: string; price: number }[]
  }
  expect(products).toHaveLength(12)
  for (const { id, name, category, price } of products) {
    const content = catalog.content.find(each => each.id === `product-${id}`)
    expect(content).toMatchObject({ category, payload: { title: name } })
    expect(content?.payload.price).toContain(String(price))
  }
})
