import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
// Below node_modules, so that `slotstream` resolves as it does where it is installed.
const folder = join(root, 'node_modules', '.cache', 'snippets')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('the TypeScript of README and docs fits the SDK', async () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  let count = 0
  for (const page of ['README.md', 'docs/sdk.md', 'docs/react.md', 'sdk/README.md']) {
    const blocks = readFileSync(join(root, page), 'utf8').matchAll(/^```(tsx?)\n(.*?)^```/gms)
    for (const [, kind, code] of blocks)
      writeFileSync(join(folder, `snippet-${++count}.${kind}`), `${code}\nexport {}\n`)
  }
  expect(count).toBeGreaterThan(3)
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'ESNext',
    moduleResolution: 'Bundler',
    target: 'ES2022',
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    types: [],
    jsx: 'react-jsx',
    skipLibCheck: true,
    customConditions: ['@slotstream/source'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts', '*.tsx'] }))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const said = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(error => error)
  expect(said.stdout).toBe('')
}, 60_000)
