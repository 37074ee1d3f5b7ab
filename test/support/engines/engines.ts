import { chromium } from './chromium.js'
import type { Engine } from './engine.js'
import { firefox } from './firefox.js'
import { webkit } from './webkit.js'

/** The engines of this machine. One that is missing and can't be installed is named with what to do about it. */
export async function engines(): Promise<Engine[]> {
  const found: Engine[] = []
  for (const obtain of [chromium, firefox, webkit])
    await obtain().then(
      engine => found.push(engine),
      error => console.warn(`SKIPPED: the browser tests in ${obtain.name}. ${error.message}`),
    )
  return found
}
