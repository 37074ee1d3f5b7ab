import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { startWorld, type World } from './world.js'

/** The world, and a Chromium to look at it with: there while the tests of the file run that imports them. */
export let world: World
export let browser: Browser

beforeAll(async () => {
  world = await startWorld()
  browser = await launchChromium()
})

beforeEach(() => world.forget())

afterAll(async () => {
  await browser?.close()
  await world?.stop()
})
