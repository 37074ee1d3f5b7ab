import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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
  for (const name of ['react', 'react-dom', 'scheduler', '@types/react', 'csstype']) {
    await mkdir(dirname(join(project, 'node_modules', name)), { recursive: true })
    await run('cp', ['-r', join(root, 'node_modules', name), join(project, 'node_modules', name)])
  }
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

  it('asks for decisions on a server without a bundler, and has nothing of React or the browser for it', async () => {
    await writeFile(
      join(project, 'deciding-server.js'),
      `import { createServerClient, decisionsScript } from 'slotstream/server'
       const client = createServerClient({ endpoint: 'http://127.0.0.1:9', writeKey: 'demo', onError: () => {} })
       const { decisions } = await client.decide(['hero'], { headers: new Headers() })
       console.log(decisions[0].outcome, decisionsScript(decisions))`,
    )
    const { stdout } = await run(process.execPath, ['deciding-server.js'], { cwd: project })
    expect(stdout.trim()).toBe('unavailable <script type="application/json" id="slotstream-decisions">[]</script>')
    const built = await readFile(join(project, 'node_modules/slotstream/dist/npm/server.js'), 'utf8')
    expect(built).not.toMatch(/^import /m)
  })

  it('needs no React, and with it renders on a server without a bundler', async () => {
    await writeFile(
      join(project, 'react-server.js'),
      `import { createElement as h } from 'react'
       import { renderToString } from 'react-dom/server'
       import { Slot, SlotstreamProvider } from 'slotstream/react'
       const slot = h(Slot, { id: 'hero', fallback: 'Welcome', children: ({ payload }) => payload.title })
       const decisions = [{ slotId: 'hero', decisionId: 'd', outcome: 'served', items: [{ contentId: 'c', position: 1, payload: { title: 'Tea' } }] }]
       console.log(renderToString(h(SlotstreamProvider, {}, slot)))
       console.log(renderToString(h(SlotstreamProvider, { decisions }, slot)))`,
    )
    const { stdout } = await run(process.execPath, ['react-server.js'], { cwd: project })
    expect(stdout.trim().split('\n')).toEqual(['<div>Welcome</div>', '<div>Tea</div>'])

    const built = join(project, 'node_modules/slotstream/dist/npm')
    const importers = []
    for (const file of await readdir(built))
      if (file.endsWith('.js') && /["']react["']/.test(await readFile(join(built, file), 'utf8'))) importers.push(file)
    expect(importers).toEqual(['react.js'])
    expect(await readFile(join(built, 'react.js'), 'utf8')).toMatch(/^["']use client["']/)
  })

  it('leads every export to files that are in it', async () => {
    const installed = join(project, 'node_modules/slotstream')
    const { exports } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    for (const [entry, target] of Object.entries(exports) as [string, string | { types: string; default: string }][]) {
      // Of no use to a page: only with the condition of this repository's tests it leads anywhere.
      if (entry === './internal/*.js') {
        expect(Object.keys(target)).toEqual(['@slotstream/source'])
        continue
      }
      for (const file of typeof target === 'string' ? [target] : [target.types, target.default])
        await expect(stat(join(installed, file)), `${entry}: ${file}`).resolves.toBeDefined()
    }
    // Whatever a file of types imports is there, too.
    const types = join(installed, 'dist/esm')
    for (const file of (await readdir(types, { recursive: true })).filter(name => name.endsWith('.d.ts')))
      for (const [, source = ''] of (await readFile(join(types, file), 'utf8')).matchAll(/from '(\.[^']+)\.js'/g))
        await expect(stat(join(types, dirname(file), `${source}.d.ts`)), `${file}: ${source}`).resolves.toBeDefined()
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
    ).toEqual([
      'background-sync',
      'clicks',
      'count-session',
      'debug',
      'downloads',
      'element-views',
      'engagement',
      'errors',
      'filler',
      'first-slot',
      'forms',
      'impressions',
      'later-plugins',
      'lease',
      'link-domains',
      'linked-id',
      'memory-tables',
      'outbound-links',
      'preview',
      'raw-html',
      'slot-services',
      'slots',
      'undo-copy',
      'web-vitals',
    ])
  })

  it.each([
    ['a bundler', { module: 'ESNext', moduleResolution: 'Bundler' }],
    ['Node', { module: 'Node16', moduleResolution: 'Node16' }],
  ])('has types that stand on their own for %s, and a tracking plan narrows them', async (_resolver, resolution) => {
    await writeFile(
      join(project, 'page.tsx'),
      `import { type SlotDecision } from 'slotstream'
       import { Slot, SlotstreamProvider, useSlot } from 'slotstream/react'
       import { createServerClient } from 'slotstream/server'
       const server = createServerClient({ endpoint: 'https://c.example', secretKey: 's' })
       // @ts-expect-error: an option has no such name
       createServerClient({ endpoint: 'https://c.example', writekey: 's' })
       export const decided = async (request: Request): Promise<SlotDecision[]> =>
         (await server.decide(['hero', { id: 'list', count: 2 }], { headers: request.headers })).decisions
       interface Hero { title: string }
       const Own = ({ decision }: { decision: SlotDecision }) => {
         const { outcome, items: [item], watch } = useSlot<Hero>('hero', { decision, count: 1 })
         // @ts-expect-error: the payload has no such field
         item?.payload.headline
         // @ts-expect-error: the options have no such name
         useSlot('hero', { counts: 1 })
         return outcome === 'waiting' ? null : <a ref={item && watch(item)}>{item?.payload.title}</a>
       }
       export const page = (
         <SlotstreamProvider options={{ writeKey: 'demo' }}>
           <Slot<Hero> id="hero" count={2} as="li" fallback={<b>Welcome</b>}>{({ payload }) => payload.title}</Slot>
           {/* @ts-expect-error: it doesn't say how an item is rendered */}
           <Slot id="hero" />
           <Own decision={{ slotId: 'hero', decisionId: 'd', outcome: 'empty', items: [] }} />
         </SlotstreamProvider>
       )
      `,
    )
    await writeFile(
      join(project, 'page.ts'),
      `import { addMiddleware, consent, init, personalize, track, type Options } from 'slotstream'
       import { slots, webVitals } from 'slotstream/parts'
       declare module 'slotstream' {
         interface Events {
           'Product Viewed': { product_id: string }
           'Signed Out': { reason?: string }
         }
         interface Slots {
           hero: { title: string }
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
       // @ts-expect-error: not a property of the plan
       track('Signed Out', { reson: 'bored' })
       export const title = async () => (await personalize('hero')).items[0]?.payload.title.toUpperCase()
       // @ts-expect-error: not a slot of the catalog
       personalize('hreo')
       // @ts-expect-error: an option has no such value
       init({ writeKey: 'demo', consent: 'maybe' })
      `,
    )
    const compilerOptions = {
      strict: true,
      noEmit: true,
      ...resolution,
      target: 'ES2022',
      jsx: 'react-jsx',
      lib: ['ES2022', 'DOM', 'DOM.Iterable'],
      types: [],
    }
    await writeFile(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['page.ts', 'page.tsx'] }),
    )
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
