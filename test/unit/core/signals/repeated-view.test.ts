import { describe, expect, it } from 'vitest'
import { PRODUCTS, VIEWS } from '#core/signals/repeated-view.js'
import { detected, MINUTE, message, NOW } from './detected.js'

const product = (id: unknown, event = 'Product Viewed', at = NOW) =>
  message(at, { event, properties: { product_id: id as string, category: 'shoes' } })
const views = (count: number, id: unknown = 'p1', at = NOW) =>
  Array.from({ length: count }, () => product(id, 'Product Viewed', at))
const found = (messages: ReturnType<typeof views>) => detected(messages, 'repeated_view')

describe('a repeated view', () => {
  it('is found at the third view of a product in a session, and not again', () => {
    const messages = [product('p2'), ...views(9)]
    const [repeated, ...more] = found(messages)
    expect(more).toEqual([])
    expect(repeated).toMatchObject({
      messageId: messages[VIEWS]!.messageId,
      details: { product_id: 'p1', category: 'shoes', views: VIEWS },
    })
  })

  it('is none of what is in the cart', () => {
    expect(found([...views(2), product('p1', 'Product Added'), ...views(5)])).toEqual([])
    expect(found([product('p1', 'Product Added'), ...views(5)])).toEqual([])
  })

  it('counts within one session', () => {
    expect(found([...views(2), ...views(2, 'p1', NOW + 31 * MINUTE)])).toEqual([])
    expect(found([...views(3), ...views(3, 'p1', NOW + 31 * MINUTE)])).toHaveLength(2)
  })

  it('remembers the latest products only', () => {
    const others = (count: number) => Array.from({ length: count }, (_, i) => product(`other-${i}`))
    expect(found([...views(2), ...others(PRODUCTS - 1), ...views(1)])).toHaveLength(1)
    expect(found([...views(2), ...others(PRODUCTS), ...views(1)])).toEqual([])
  })

  it('takes numbers, and the SKU where there is no id; and nothing of what is no id', () => {
    expect(found([...views(2, 7), ...views(1, '7')])[0]?.details.product_id).toBe('7')
    const sku = () => message(NOW, { event: 'Product Viewed', properties: { sku: 'S1' } })
    expect(found([sku(), sku(), sku()])[0]?.details).toEqual({ product_id: 'S1', views: VIEWS })
    for (const odd of [null, '', {}, [], true, 'x'.repeat(257)]) expect(found(views(5, odd))).toEqual([])
    expect(found(Array.from({ length: 5 }, () => message(NOW, { event: 'Product Viewed' })))).toEqual([])
  })
})
