import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { obtainChromium } from '@slotstream/supervisor'
import { chromium } from 'playwright-core'

/** Flags that keep Chromium from looking for its maker's servers, which a closed network answers with delays. */
export const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A real Chromium with a fresh profile, found or installed as the README says; `more` flags come after the usual. */
export async function launchChromium(more: string[] = []) {
  const executablePath = await obtainChromium({
    dataDir: join(tmpdir(), 'slotstream-tools'),
    log: console.log,
  })
  return chromium.launch({ executablePath, args: [...QUIET, ...more] })
}
