import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { generateTypes } from '#cli/plan/generate-types.js'
import { parseArguments } from '#cli/plan/parse-arguments.js'
import { runCommand } from '#cli/plan/run-command.js'
import { readSchemas } from '#cli/plan/schema-folder.js'
import { writeSchemas } from '#cli/plan/write-schemas.js'
import { UsageError } from '#cli/usage-error.js'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const EXAMPLE = join(ROOT, 'examples', 'schemas')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slotstream-plan-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** What a command says, and how it fails. */
async function run(...args: string[]): Promise<{ said: string; failed: string | undefined }> {
  const said: string[] = []
  const failed = await runCommand(parseArguments(args, {}), {}, line => said.push(line)).then(
    () => undefined,
    (error: Error) => error.message,
  )
  return { said: said.join('\n'), failed }
}

describe('the command line', () => {
  it.each([
    [['nonsense']],
    [['check', 'more']],
    [['push']],
    [['mode', '--site', 'shop']],
    [['mode', 'on', '--site', 'shop']],
    [['check', '--unknown']],
    [['push', '--site', 'shop', '--unplanned', 'maybe']],
  ])('%j is rejected with how it should be', args => {
    expect(() => parseArguments(args, {})).toThrow(UsageError)
  })

  it('is understood', () => {
    expect(parseArguments([], {})).toEqual({ do: 'help' })
    expect(parseArguments(['check'], {})).toEqual({ do: 'check', folder: 'schemas' })
    expect(parseArguments(['mode', 'warn', '--site', 'shop'], {})).toMatchObject({
      do: 'mode',
      settings: { mode: 'warn' },
    })
    expect(parseArguments(['push', '--site', 'shop', '--dry-run'], {})).toMatchObject({
      do: 'push',
      dryRun: true,
      prune: false,
    })
  })
})

describe('a folder of schemas', () => {
  it('keeps events of any name', async () => {
    const schemas = {
      'Übung / "2": 100%': { '1-0-0': { type: 'object' } },
      '.hidden': { '1-0-0': {} },
      'a.': { '1-0-0': {} },
    }
    await writeSchemas(folder, schemas)
    expect(await readSchemas(folder)).toEqual(schemas)
    for (const name of await readdir(folder)) expect(name).not.toMatch(/[/":]|^\.|\.$/)
  })

  it('is not written over', async () => {
    await writeSchemas(folder, { A: { '1-0-0': { type: 'object' } } })
    const { written, different } = await writeSchemas(folder, { A: { '1-0-0': {}, '1-0-1': {} } })
    expect(written).toEqual([join(folder, 'A', '1-0-1.json')])
    expect(different).toEqual([join(folder, 'A', '1-0-0.json')])
    expect((await readSchemas(folder)).A?.['1-0-0']).toEqual({ type: 'object' })
  })

  it.each([
    ['1-0-0.json', '{"type": }', /1-0-0\.json: .*JSON/],
    ['1-0-0.json', '[]', /1-0-0\.json: a schema must be a JSON object/],
    ['v1.json', '{}', /v1\.json: the name must be a version/],
  ])('with %s holding %s is rejected, and the file is named', async (name, text, message) => {
    mkdirSync(join(folder, 'A'))
    await writeFile(join(folder, 'A', name), text)
    await expect(readSchemas(folder)).rejects.toThrow(message)
  })

  it('that is not there or empty is rejected', async () => {
    await expect(readSchemas(join(folder, 'none'))).rejects.toThrow('there is no folder')
    await expect(readSchemas(folder)).rejects.toThrow('there are no schemas')
  })
})

describe('check', () => {
  it('says of each version what it changes', async () => {
    const { said, failed } = await run('check', '--schemas', EXAMPLE)
    expect(failed).toBeUndefined()
    expect(said).toContain('Product Viewed\n  1-0-0 → 1-0-1  addition\n      + price: is new, optional')
    expect(said).toContain('Order Completed\n  1-0-0 → 2-0-0  model\n      ‼ revenue: is new and needed')
    expect(said).toMatch(/\d events, \d versions: no problems$/)
  })

  it('fails when a number says too little', async () => {
    await writeSchemas(folder, { A: { '1-0-0': { type: 'object' }, '1-0-1': { type: 'object', required: ['x'] } } })
    const { said, failed } = await run('check', '--schemas', folder)
    expect(said).toContain('1-0-0 → 1-0-1  ✗ says addition, is model: call it 2-0-0\n      ‼ x: is new and needed')
    expect(failed).toBe('1 event, 2 versions: 1 problem')
  })

  it('fails when a schema cannot be used', async () => {
    await writeSchemas(folder, { A: { '1-0-0': { type: 'objct' } } })
    expect((await run('check', '--schemas', folder)).said).toContain('✗ A 1-0-0: /type must be one of')
  })
})

describe('types', () => {
  it('fit the SDK: track takes what the plan has, and nothing else', async () => {
    // Below node_modules, so that `slotstream` resolves as it does where it is installed.
    const project = join(ROOT, 'node_modules', '.cache', 'plan-types')
    rmSync(project, { recursive: true, force: true })
    mkdirSync(project, { recursive: true })
    const schemas = await readSchemas(EXAMPLE)
    const odd = {
      'Said "*/" & 100%': {
        '1-0-0': {
          type: 'object',
          description: 'ends */ here',
          properties: { a: { $ref: '#/$defs/a' } },
          $defs: { a: { type: 'number' } },
        },
      },
    }
    writeFileSync(join(project, 'plan.ts'), await generateTypes({ ...schemas, ...odd }))
    writeFileSync(
      join(project, 'page.ts'),
      `import './plan.js'
import { track } from 'slotstream'
import type { OrderLine } from './plan.js'

track('Product Viewed', { product_id: 'p1', price: 3 })
track('Said "*/" & 100%')
track('Said "*/" & 100%', { a: 1 })
const line: OrderLine = { product_id: 'p1' }
track('Order Completed', { order_id: 'o1', revenue: 5, currency: 'EUR', products: [line] })
// @ts-expect-error its properties are needed
track('Product Viewed')
// @ts-expect-error another type
track('Product Viewed', { product_id: 1 })
// @ts-expect-error another type, further in
track('Order Completed', { order_id: 'o1', revenue: 5, currency: 'EUR', products: [{ product_id: 1 }] })
// @ts-expect-error the newest version needs more
track('Order Completed', { order_id: 'o1' })
// @ts-expect-error no such event
track('Porduct Viewed', { product_id: 'p1' })
`,
    )
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: 'ESNext',
      moduleResolution: 'Bundler',
      target: 'ES2022',
      lib: ['ES2023', 'DOM', 'DOM.Iterable'],
      types: [],
      skipLibCheck: true,
      customConditions: ['@slotstream/source'],
    }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const said = await promisify(execFile)(process.execPath, [tsc, '-p', project]).catch(error => error)
    rmSync(project, { recursive: true, force: true })
    expect(said.stdout).toBe('')
  }, 60_000)

  it('are rejected for a plan without events', async () => {
    await writeSchemas(folder, { '@page': { '1-0-0': {} } })
    expect((await run('types', '--schemas', folder)).failed).toContain('no track event')
  })
})
