import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { obtainChromium, QUIET_CHROMIUM } from '@slotstream/supervisor'
import { chromium } from 'playwright-core'

/** A real Chromium with a fresh profile, found or installed as the README says; `more` flags come after the usual. */
export async function launchChromium(more: string[] = []) {
  const executablePath = await obtainChromium({
    dataDir: join(tmpdir(), 'slotstream-tools'),
    log: console.log,
  })
  return chromium.launch({ executablePath, args: [...QUIET_CHROMIUM, ...more] })
}
