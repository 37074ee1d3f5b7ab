import { expect, it } from 'vitest'
import * as slotstream from '#sdk/entries/index.js'

it('does nothing on a server, and breaks nothing', async () => {
  slotstream.init({ writeKey: 'demo' })
  slotstream.track('A')
  slotstream.page()
  slotstream.identify('ann')
  expect(await slotstream.personalize('hero')).toMatchObject({ outcome: 'unavailable', items: [] })
  await slotstream.flush()
  slotstream.destroy()
})
