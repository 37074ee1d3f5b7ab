import { join, resolve } from 'node:path'
import { chromiumAdvice } from './advice.js'
import { circumstances } from './machine/circumstances.js'
import { type Machine, thisMachine } from './machine/machine.js'
import { askVersion } from './machine/version.js'
import { type ObtainLog, obtain, type Program } from './obtain.js'
import { planChromium } from './plan.js'

/** Flags that keep Chromium from looking for its maker's servers, which a closed network answers with delays. */
export const QUIET_CHROMIUM = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * Finds Chromium or Chrome for the browser tests, or installs it, and resolves to its absolute path. In order:
 * CHROMIUM_PATH; PATH; the usual folders of applications; apt-get as root, or Homebrew. Errors as for nats-server.
 */
export async function obtainChromium({
  dataDir,
  log,
  machine = thisMachine(),
}: {
  dataDir: string
  log: ObtainLog
  machine?: Machine
}): Promise<string> {
  const at = await circumstances(machine)
  const program: Program = {
    name: 'chromium',
    wanted: 'Chromium or Chrome',
    objection: path => broken(machine, path),
    advice: chromiumAdvice(at),
  }
  return obtain(program, planChromium(at), { machine, binFolder: join(resolve(dataDir), 'bin'), log })
}

// Ubuntu's chromium-browser can be a stub that only says to install a snap, and fails. Elsewhere there are no stubs,
// and on Windows Chrome would answer --version by opening a window.
async function broken(machine: Machine, path: string): Promise<string | undefined> {
  if (machine.platform !== 'linux') return undefined
  const answer = await askVersion(machine, path)
  return 'objection' in answer ? answer.objection : undefined
}
