import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { obtainChromium, QUIET_CHROMIUM } from '@slotstream/supervisor'
import { launch } from 'puppeteer-core'
import type { Engine } from './engine.js'
import { puppeteerBrowser } from './puppeteer.js'
import { visitWith } from './visit.js'

/** Blink, in Debian's Chromium or whatever Chrome is there. */
export async function chromium(): Promise<Engine> {
  const program = await obtainChromium({ dataDir: join(tmpdir(), 'slotstream-tools'), log: console.log })
  return {
    name: 'Chromium',
    launch: async () => puppeteerBrowser(await launch({ executablePath: program, args: QUIET_CHROMIUM })),
    visit: async (profile, url) =>
      visitWith(program, ['--headless=new', `--user-data-dir=${profile}`, ...QUIET_CHROMIUM, url]),
  }
}
