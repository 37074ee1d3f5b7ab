import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readFolder, writeFolder } from '#cli/catalog/catalog-folder.js'
import { parseArguments } from '#cli/catalog/parse-arguments.js'
import { runCommand } from '#cli/catalog/run-command.js'
import { UsageError } from '#cli/usage-error.js'

const EXAMPLE = fileURLToPath(new URL('../../../../examples/catalog', import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slotstream-catalog-'))
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

async function write(files: Record<string, unknown>): Promise<void> {
  await mkdir(join(folder, 'tests'), { recursive: true })
  for (const [name, value] of Object.entries(files))
    await writeFile(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value))
}

describe('the command line', () => {
  it.each([
    [['nonsense']],
    [['push']],
    [['push', 'folder']],
    [['diff', 'one', 'two', '--site', 'shop']],
    [['check', '--unknown']],
  ])('%j is rejected with how it should be', args => {
    expect(() => parseArguments(args, {})).toThrow(UsageError)
  })

  it('is understood', () => {
    expect(parseArguments([], {})).toEqual({ do: 'help' })
    expect(parseArguments(['check'], {})).toEqual({ do: 'check', folder: 'catalog' })
    const common = { site: 'shop', folder: 'f', collector: 'http://localhost:3000' }
    expect(parseArguments(['push', 'f', '--site', 'shop', '--draft'], {})).toEqual({
      ...{ do: 'push', ...common, dryRun: false, draft: true },
    })
    expect(parseArguments(['diff', 'f', '--site', 'shop'], {})).toEqual({ do: 'diff', ...common })
    expect(parseArguments(['pull', 'f', '--site', 'shop', '--force', '--collector', 'http://c'], {})).toEqual({
      ...{ do: 'pull', ...common, collector: 'http://c', force: true },
    })
  })
})

describe('a folder with a catalog', () => {
  const SLOT = { id: 'hero' }
  const CONTENT = { id: 'a', slots: ['hero'] }

  it('of the example is fit, and its decision tests pass', async () => {
    expect(await run('check', EXAMPLE)).toEqual({
      said: '2 slots, 4 contents: no problems\n5 decision tests passed',
      failed: undefined,
    })
  })

  it('holds lists, or what the API answers, and tests one by one or in lists', async () => {
    const test = { slot: 'hero', expect: { always: ['a'] } }
    await write({
      'slots.json': `\uFEFF${JSON.stringify({ revision: 3, slots: [SLOT], content: [] })}`,
      'content.json': [CONTENT],
      'package.json': {},
      'tests/one.json': test,
      'tests/two.json': [test, { ...test, name: 'named' }],
    })
    const { tests, ...lists } = await readFolder(folder)
    expect(lists).toEqual({ slots: [SLOT], content: [CONTENT] })
    expect(tests.map(({ at }) => at)).toEqual([
      `${join(folder, 'tests/one.json')}: tests[0]`,
      `${join(folder, 'tests/two.json')}: tests[0]`,
      `${join(folder, 'tests/two.json')}: tests[1] named`,
    ])
    expect(await run('check', folder)).toMatchObject({
      said: '1 slot, 1 content: no problems\n3 decision tests passed',
    })
  })

  it('may hold one list only', async () => {
    await write({ 'content.json': [CONTENT] })
    expect(await run('check', folder)).toEqual({
      said: '0 slots, 1 content: no problems\nWhether its slots are there is checked when it is pushed.',
      failed: undefined,
    })
  })

  it('is rejected with a line for each fault, and the files are named', async () => {
    await write({
      'slots.json': [
        { ...SLOT, campaigns: [{ id: 'c', contentIds: ['a'], mode: 'first' }], holdOut: 1 },
        { id: 'list', schema: { type: 'object', required: ['title'] } },
        { id: 'list', rewards: [{ event: 'E', windowHours: 1, where: { 'properties.a': { $gtt: 1 } } }] },
        { id: 'bad', schema: { type: 'nonsense' } },
      ],
      'content.json': [
        { ...CONTENT, slots: ['list', 'lists'] },
        { ...CONTENT, slots: ['list'], where: { 'trait.a': 1 } },
      ],
    })
    const [slots, content] = ['slots', 'content'].map(list => `${join(folder, `${list}.json`)}: ${list}`)
    const { failed, said } = await run('check', folder)
    expect(said).toBe('')
    expect(failed?.split('\n')).toEqual([
      `${slots}[0]: holdOut is unknown: did you mean holdout?`,
      `${slots}[0]: campaigns[0].mode must be one of pin, boost`,
      expect.stringContaining(`${slots}[2]: rewards[0].where.properties.a.$gtt: unknown operator $gtt`),
      expect.stringContaining(`${slots}[3]: schema: `),
      `${content}[0]: slots: the site has no slot "lists": did you mean "list"?`,
      expect.stringContaining(`${content}[1]: where.trait.a: there is no attribute "trait": did you mean "traits"?`),
      `${content}[1]: payload.title is missing (schema of slot list)`,
      `${slots}[2]: id is the one of slots[1], too`,
      `${content}[1]: id is the one of content[0], too`,
      '9 problems',
    ])
  })

  it.each([
    [{ 'slots.json': '[{]' }, /slots\.json: .*JSON/],
    [{ 'slots.json': '"x"' }, /slots\.json: must be a list of slots/],
    [{ 'slots.json': '{"slot": []}' }, /slots\.json: must be a list of slots/],
    [{ 'slot.json': '[]' }, /slot\.json is not read: did you mean slots\.json\?/],
    [{ 'other.json': '[]' }, /there is no catalog in/],
    [
      { 'slots.json': '[]', 'tests/a.json': '{"slots": "hero"}' },
      /a\.json: tests\[0\]\.slots is unknown: did you mean/,
    ],
    [{ 'slots.json': '[]', 'tests/a.json': '{' }, /a\.json: .*JSON/],
  ])('that holds %j is rejected, and the file is named', async (files, message) => {
    await write(files)
    await expect(readFolder(folder)).rejects.toThrow(message)
  })

  it('whose decision tests fail is rejected', async () => {
    const test = { name: 'never a', slot: 'hero', expect: { never: ['a'], outcome: 'empty' } }
    await write({ 'slots.json': [SLOT], 'content.json': [CONTENT], 'tests/a.json': test })
    const at = `${join(folder, 'tests/a.json')}: tests[0] never a`
    expect((await run('check', folder)).failed?.split('\n')).toEqual([
      `${at}: never a: it can be shown`,
      `${at}: outcome: it is served, not empty`,
      '1 of 1 decision test failed',
    ])
  })

  it('with candidates is checked: the condition, payloads by the schema, and tests, which say what is not taken', async () => {
    const deals = { id: 'deals', candidates: { price: { $lt: 200 } }, schema: { type: 'object', required: ['title'] } }
    const content = [
      { id: 'tent', price: 150, payload: { title: 'Tent' } },
      { id: 'palace', price: 250 },
    ]
    const test = { slot: 'deals', expect: { never: ['palace'], always: ['tent'] } }
    await write({ 'slots.json': [deals], 'content.json': content, 'tests/a.json': test })
    expect((await run('check', folder)).said).toBe('1 slot, 2 contents: no problems\n1 decision test passed')
    await write({ 'tests/a.json': { slot: 'deals', expect: { always: ['palace'] } } })
    expect((await run('check', folder)).failed).toContain(
      'always palace: it cannot be shown, the slot does not take it: price is 250, wanted less than 200',
    )
    await write({ 'slots.json': [{ ...deals, candidates: { prize: 1, tags: { $inn: ['a'] } } }] })
    expect((await run('check', folder)).failed?.split('\n').slice(0, 2)).toEqual([
      expect.stringContaining(
        'slots[0]: candidates.prize: a content has no "prize" that can be asked for: did you mean "price"?',
      ),
      expect.stringContaining('slots[0]: candidates.tags.$inn: unknown operator $inn: did you mean $in?'),
    ])
    await write({ 'slots.json': [deals], 'content.json': [{ id: 'tent', price: 150 }] })
    expect((await run('check', folder)).failed).toContain('content[0]: payload.title is missing (schema of slot deals)')
  })

  it('whose decision tests another person breaks is rejected', async () => {
    const test = { slot: 'hero', given: { profile: { traits: { plan: 'free' } } }, expect: { never: ['a'] } }
    const where = { $or: [{ 'traits.plan': 'pro' }, { 'context.locale': 'fr' }] }
    await write({ 'slots.json': [SLOT], 'content.json': [{ ...CONTENT, where }], 'tests/a.json': test })
    expect((await run('check', folder)).failed?.split('\n')).toEqual([
      `${join(folder, 'tests/a.json')}: tests[0]: never a: it can be shown where context.locale is "fr"`,
      '1 of 1 decision test failed',
    ])
  })

  it('is written as it is published, over files with other content only by force', async () => {
    const catalog = { slots: [{ id: 'hero', count: 1, holdout: 0 }], content: [] }
    const path = join(folder, 'slots.json')
    expect(await writeFolder(folder, catalog, false)).toEqual({ written: [path], different: [] })
    expect(await writeFolder(folder, catalog, false)).toEqual({ written: [], different: [] })
    await writeFile(path, '[]')
    expect(await writeFolder(folder, catalog, false)).toEqual({ written: [], different: [path] })
    expect(await writeFolder(folder, catalog, true)).toEqual({ written: [path], different: [] })
  })
})
