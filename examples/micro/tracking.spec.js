import { expect, test } from '@playwright/test'

/** Addresses of the small collector, which keeps what the page sends. */
const micro = path => `${test.info().config.metadata.micro}/micro/${path}`

test.beforeEach(({ request }) => request.post(micro('reset')))

test('putting something into the cart is tracked, with its price as a number', async ({ page, request }) => {
  await page.goto('/')
  await page.getByRole('button', { name: 'Add to cart' }).click()

  // The page sends in batches, a moment later: ask again until it is there.
  await expect
    .poll(async () => (await request.get(micro('good'), { params: { event: 'Product Added' } })).json())
    .toMatchObject([{ type: 'track', properties: { product_id: 'tea', price: 4.5 } }])
})

test('a visit sends nothing that the collector rejects', async ({ page, request }) => {
  await page.goto('/')
  await expect.poll(async () => (await request.get(micro('good'), { params: { type: 'page' } })).json()).toHaveLength(1)
  expect(await (await request.get(micro('bad'))).json()).toEqual([])
})

test('the page keeps its own content where nobody decides', async ({ page }) => {
  await page.goto('/')
  await expect(page.getByText('Teas of the season')).toBeVisible()
})
