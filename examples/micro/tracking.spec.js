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

test('the page shows the content of its slot, and a click on it is tracked', async ({ page, request }) => {
  await page.goto('/')
  await page.getByText('Green teas of the spring').click()
  await expect
    .poll(async () => (await request.get(micro('good'), { params: { event: 'Slot Clicked' } })).json())
    .toMatchObject([{ properties: { slotId: 'hero', contentId: 'green' } }])
})

test('the page keeps its own content for visitors of the holdout', async ({ page, request }) => {
  await request.put(micro('slots'), { data: { hero: 'holdout' } })
  await page.goto('/')
  await expect(page.locator('[data-slot=hero][data-slot-state=fallback]')).toBeVisible()
  await expect(page.getByText('Teas of the season')).toBeVisible()
})
