import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { obtainChromium } from '@slotstream/supervisor'
import { expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const playwright = join(root, 'node_modules', '@playwright', 'test', 'cli.js')

it('the example of tests with Playwright passes, as documented', async () => {
  const [website, micro] = await freePorts(2)
  const chromium = await obtainChromium({ dataDir: join(tmpdir(), 'slotstream-tools'), log: console.log })
  const { FORCE_COLOR: _color, ...env } = process.env
  const said = await new Promise<string>(resolve =>
    execFile(
      process.execPath,
      [playwright, 'test', '--config', join(root, 'examples', 'micro')],
      { env: { ...env, WEBSITE_PORT: String(website), MICRO_PORT: String(micro), CHROMIUM: chromium }, cwd: root },
      (_error, stdout, stderr) => resolve(`${stdout}${stderr}`),
    ),
  )
  expect(said).toContain('4 passed')
  expect(said).not.toContain('failed')
}, 300_000)
