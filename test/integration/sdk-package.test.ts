import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const require = createRequire(import.meta.url)
let project: string

/** An empty project with the packed package and its dependencies installed, as npm would lay them out. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'slotstream-pack-'))
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: join(root, 'sdk') })
  const [{ filename }] = JSON.parse(stdout)
  const installed = join(project, 'node_modules', 'slotstream')
  await mkdir(installed, { recursive: true })
  await run('tar', ['-xzf', join(project, filename), '-C', installed, '--strip-components=1'])
  for (const name of ['idb', 'web-vitals'])
    await run('cp', ['-r', join(root, 'node_modules', name), join(project, 'node_modules', name)])
  await writeFile(join(project, 'package.json'), '{"type":"module"}')
})

afterAll(() => rm(project, { recursive: true, force: true }))

describe('the packed package', () => {
  it('is imported on a server without a bundler, and does nothing there', async () => {
    await writeFile(
      join(project, 'server.js'),
      `import { init, personalize, track } from 'slotstream'
       init({ writeKey: 'demo' })
       track('A')
       console.log((await personalize('hero')).outcome)`,
    )
    const { stdout } = await run(process.execPath, ['server.js'], { cwd: project })
    expect(stdout.trim()).toBe('unavailable')
  })

  it('is bundled, with what loads on demand in files of their own', async () => {
    await writeFile(
      join(project, 'page.js'),
      `import { init, track } from 'slotstream'
       init({ writeKey: 'demo' })
       track('A')`,
    )
    const { build } = await import(
      require.resolve('vite', { paths: [root] }).replace(/index\.cjs$/, 'dist/node/index.js')
    )
    await build({
      root: project,
      logLevel: 'silent',
      build: { rollupOptions: { input: join(project, 'page.js') }, outDir: 'out', manifest: true },
    })
    const manifest = JSON.parse(await readFile(join(project, 'out/.vite/manifest.json'), 'utf8')) as Record<
      string,
      { isEntry?: boolean; isDynamicEntry?: boolean; name: string }
    >
    const files = Object.values(manifest)
    expect(files.filter(({ isEntry }) => isEntry)).toHaveLength(1)
    expect(
      files
        .filter(({ isDynamicEntry }) => isDynamicEntry)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['engagement', 'slots', 'web-vitals'])
  })

  it('has types that stand on their own, and a tracking plan narrows them', async () => {
    await writeFile(
      join(project, 'page.ts'),
      `import { addMiddleware, consent, init, track, type Options } from 'slotstream'
       import { slots, webVitals } from 'slotstream/parts'
       declare module 'slotstream' {
         interface Events {
           'Product Viewed': { product_id: string }
           'Signed Out': { reason?: string }
         }
       }
       const options: Options = { writeKey: 'demo', consent: 'pending', parts: [slots, webVitals] }
       init(options)
       consent({ analytics: 'granted' })
       addMiddleware(message => (message.event === 'Signed Out' ? null : message))
       track('Product Viewed', { product_id: '17' })
       track('Signed Out')
       // @ts-expect-error: not in the plan
       track('Product Veiwed', { product_id: '17' })
       // @ts-expect-error: a property is missing
       track('Product Viewed')
       // @ts-expect-error: not a property's type
       track('Product Viewed', { product_id: 17 })
      `,
    )
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: 'ESNext',
      moduleResolution: 'Bundler',
      target: 'ES2022',
      lib: ['ES2022', 'DOM', 'DOM.Iterable'],
      types: [],
    }
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['page.ts'] }))
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const said = await run(process.execPath, [tsc, '-p', project]).catch(error => error)
    expect(said.stdout).toBe('')
  })
})

it('keeps to its size budget', async () => {
  const { stdout } = await run(process.execPath, [join(root, 'sdk/build/sizes.js')]).catch(error => error)
  console.log(stdout)
  const { files, imports } = JSON.parse(await readFile(join(root, 'sdk/budget.json'), 'utf8'))
  for (const line of stdout.split('\n').filter((line: string) => /\d+ *│ *\d+ *│$/.test(line))) {
    const [, entry, bytes, budget] = /│ *(.+?) *│ *(\d+) *│ *(\d+) *│$/.exec(line) ?? []
    expect(Number(bytes), entry).toBeLessThanOrEqual(Number(budget))
  }
  expect(Object.keys({ ...files, ...imports }).length).toBeGreaterThan(3)
})
