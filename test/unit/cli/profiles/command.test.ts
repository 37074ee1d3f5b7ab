import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readDefinitions, writeDefinitions } from '#cli/profiles/definition-folder.js'
import { differenceOf } from '#cli/profiles/difference.js'
import { parseArguments } from '#cli/profiles/parse-arguments.js'
import { runCommand } from '#cli/profiles/run-command.js'
import { UsageError } from '#cli/usage-error.js'

const EXAMPLE = fileURLToPath(new URL('../../../../examples/profiles', import.meta.url))
const VIEWS = { name: 'views', source: { event: 'Product Viewed' }, aggregate: 'count' as const }
const NONE = { features: [], patterns: [], segments: [] }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slotstream-profiles-'))
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
    [['push']],
    [['push', 'folder']],
    [['diff', 'one', 'two', '--site', 'shop']],
    [['check', '--unknown']],
  ])('%j is rejected with how it should be', args => {
    expect(() => parseArguments(args, {})).toThrow(UsageError)
  })

  it('is understood', () => {
    expect(parseArguments([], {})).toEqual({ do: 'help' })
    expect(parseArguments(['check'], {})).toEqual({ do: 'check', folder: 'profiles' })
    const common = { site: 'shop', folder: 'f', collector: 'http://localhost:3000' }
    expect(parseArguments(['push', 'f', '--site', 'shop'], {})).toEqual({ do: 'push', ...common, dryRun: false })
    expect(parseArguments(['diff', 'f', '--site', 'shop'], {})).toEqual({ do: 'diff', ...common })
    expect(parseArguments(['pull', 'f', '--site', 'shop', '--force', '--collector', 'http://c'], {})).toEqual({
      do: 'pull',
      ...common,
      collector: 'http://c',
      force: true,
    })
  })
})

describe('a folder of definitions', () => {
  it('holds a list of each kind, or what the API answers', async () => {
    await writeFile(join(folder, 'features.json'), `\uFEFF${JSON.stringify({ revision: 3, features: [VIEWS] })}`)
    await writeFile(join(folder, 'segments.json'), '[]')
    await writeFile(join(folder, 'package.json'), '{}')
    const definitions = { features: [VIEWS], segments: [] }
    expect(await readDefinitions(folder)).toEqual({ definitions, faults: [], isPartial: false })
  })

  it.each([
    ['features.json', '[{]', /features\.json: .*JSON/],
    ['features.json', '"x"', /features\.json: features: must be a list, not "x"/],
    ['features.json', '{"feature": []}', /features\.json: features: must be a list, not nothing/],
    ['segments.json', '[{"name": ""}]', /segments\.json: segments\[0\]\.name: must be text/],
    ['feature.json', '[]', /feature\.json is not read: did you mean features\.json\?/],
    ['other.json', '[]', /there are no definitions in/],
  ])('with %s holding %s is rejected, and the file is named', async (name, text, message) => {
    await writeFile(join(folder, name), text)
    expect((await run('check', folder)).failed).toMatch(message)
  })

  it('with faults in several files is rejected with a line for each', async () => {
    await writeFile(join(folder, 'features.json'), JSON.stringify([{ ...VIEWS, agregate: 1 }]))
    await writeFile(join(folder, 'patterns.json'), '[5]')
    const { failed } = await run('check', folder)
    expect(failed?.split('\n')).toEqual([
      `${join(folder, 'features.json')}: features[0].agregate: unknown field, did you mean "aggregate"?`,
      expect.stringContaining(`${join(folder, 'patterns.json')}: patterns[0]: must be an object`),
      '2 problems',
    ])
  })

  it('with faults of form and of meaning is rejected with all of them, also where no collector answers', async () => {
    const write = (kind: string, items: unknown[]) => writeFile(join(folder, `${kind}.json`), JSON.stringify(items))
    await write('features', [
      { ...VIEWS, agregate: 1, source: { event: 'E', where: { 'properties.price': { $gtt: 1 } } } },
    ])
    await write('patterns', [])
    await write('segments', [{ name: 'a', where: { 'features.vews': 1 } }])
    const faults = [
      expect.stringMatching(/features\.json: features\[0\]\.agregate/),
      expect.stringMatching(/features\.json: features\[0\]\.source\.where.*\$gtt/),
      expect.stringMatching(/segments\.json: segments\[0\]\.where.*did you mean "views"\?/),
    ]
    expect((await run('check', folder)).failed?.split('\n')).toEqual([...faults, '3 problems'])
    const push = parseArguments(['push', folder, '--site', 'shop', '--collector', 'http://127.0.0.1:9'], {})
    const pushed = runCommand(push, { ADMIN_TOKEN: 'a-token' }, () => {}).catch((error: Error) => error.message)
    expect((await pushed)?.split('\n')).toEqual([...faults, '3 problems: nothing was published'])
    await writeFile(join(folder, 'features.json'), '[{]')
    expect((await run('check', folder)).failed?.split('\n')).toEqual([
      expect.stringMatching(/features\.json: .*JSON/),
      '1 problem',
    ])
  })

  it('that is not there is rejected', async () => {
    await expect(readDefinitions(join(folder, 'none'))).rejects.toThrow('there is no folder')
  })

  it('is written, and not written over unless forced', async () => {
    const there = join(folder, 'made', 'features.json')
    const definitions = { ...NONE, features: [VIEWS] }
    const path = join(folder, 'made')
    expect(await writeDefinitions(path, definitions, false)).toEqual({ written: [there], different: [] })
    expect((await readDefinitions(path)).definitions).toEqual({ features: [VIEWS] })
    expect(await writeDefinitions(path, definitions, false)).toEqual({ written: [], different: [] })
    expect(await writeDefinitions(path, NONE, false)).toEqual({ written: [], different: [there] })
    expect(JSON.parse(await readFile(there, 'utf8'))).toEqual([VIEWS])
    expect(await writeDefinitions(path, NONE, true)).toEqual({ written: [there], different: [] })
    expect(JSON.parse(await readFile(there, 'utf8'))).toEqual([])
  })

  it('is checked for what conditions mean, those of segments where all that they name is there', async () => {
    const write = (kind: string, items: object[]) => writeFile(join(folder, `${kind}.json`), JSON.stringify(items))
    await write('segments', [{ name: 'a', where: { 'features.vews': 1 } }])
    expect((await run('check', folder)).said).toContain('The conditions of segments are checked when they are pushed')
    await write('features', [{ ...VIEWS, source: { event: 'E', where: { 'properties.price': { $gtt: 1 } } } }])
    await write('patterns', [])
    expect((await run('check', folder)).failed?.split('\n')).toEqual([
      expect.stringMatching(/features\.json: features\[0\]\.source\.where.*\$gtt/),
      expect.stringMatching(/segments\.json: segments\[0\]\.where.*did you mean "views"\?/),
      '2 problems',
    ])
  })

  it('of the examples has no faults', async () => {
    expect(await run('check', EXAMPLE)).toEqual({
      said: '5 features, 1 pattern, 3 segments: no problems',
      failed: undefined,
    })
  })
})

it('a difference names each definition with the fields that changed', () => {
  const long = { name: 'long', source: { event: 'x'.repeat(200) } }
  const before = [VIEWS, { ...VIEWS, name: 'old' }, { ...VIEWS, name: 'same' }, { name: 'long', source: {} }]
  const after = [
    { aggregate: 'count', source: VIEWS.source, name: 'same' },
    { ...VIEWS, window: '7d' },
    long,
    { name: 'new' },
  ]
  expect(differenceOf('features', before, after)).toEqual([
    '+ features new',
    '~ features views: window nothing → "7d"',
    expect.stringMatching(/^~ features long: source \{\} → \{"event":"x+…$/),
    '- features old',
  ])
})
