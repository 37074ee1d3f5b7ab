import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readFolder } from '#cli/catalog/catalog-folder.js'
import { parseArguments } from '#cli/catalog/parse-arguments.js'
import { runCommand } from '#cli/catalog/run-command.js'
import { ADMIN_TOKEN } from '../support/collector.js'
import { outcomeOf } from '../support/command-outcome.js'
import { type CatalogOfTest, catalogWith, content, hero, idsOf, setUpCatalog } from '../support/set-up-catalog.js'

let other: CatalogOfTest['other']
let site: CatalogOfTest['site']
const { admin, catalog } = setUpCatalog(current => {
  ;({ other, site } = current)
})

describe('the catalog command', () => {
  const EXAMPLE = fileURLToPath(new URL('../../examples/catalog', import.meta.url))
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotstream-catalog-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const command = (...args: string[]) =>
    outcomeOf(print =>
      runCommand(parseArguments([...args, '--site', site, '--collector', other], {}), { ADMIN_TOKEN }, print),
    )
  const write = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value))

  it('publishes a folder, tells what differs, and gets it back', async () => {
    const differences = [
      ...['+ slot shop-hero', '+ slot shop-list'],
      ...['tents', 'lamps', 'welcome', 'winter-sale'].map(id => `+ content ${id}`),
      '> slot shop-list takes lamps, tents',
    ]
    expect(await command('diff', EXAMPLE)).toEqual({ said: differences, failed: undefined })
    const passed = '5 decision tests passed'
    expect((await command('push', EXAMPLE, '--dry-run')).said).toEqual([
      ...differences,
      passed,
      'Nothing was published: it was a dry run.',
    ])
    expect((await catalog()).revision).toBe(0)
    expect(await command('push', EXAMPLE)).toEqual({
      said: [...differences, passed, `${site}: catalog revision 1`],
      failed: undefined,
    })
    const nothing = 'Nothing to publish: the site has all of it.'
    expect((await command('push', EXAMPLE)).said).toEqual([passed, nothing])
    expect((await command('diff', EXAMPLE)).said).toEqual([nothing])
    expect((await command('pull', folder)).said).toEqual(
      ['slots', 'content'].map(list => `wrote ${join(folder, `${list}.json`)}`),
    )
    expect(await command('diff', folder)).toEqual({ said: [nothing], failed: undefined })
    expect((await command('pull', folder)).said).toEqual(['The folder has everything that is published.'])
  })

  it('removes what the files do not have, and leaves a list without a file alone', async () => {
    await admin('POST', '/catalog', catalogWith('a', 'b'))
    await write('content.json', [content('b', { stock: 3 }), content('c')])
    expect((await command('push', folder)).said).toEqual([
      '+ content c',
      '~ content b: stock nothing → 3',
      '- content a',
      `${site}: catalog revision 2`,
    ])
    expect(idsOf(await catalog())).toEqual([['hero'], ['b', 'c']])
    await write('slots.json', [hero({ policy: { type: 'fixed', contentIds: ['x'] } })])
    expect((await command('push', folder, '--draft')).said).toEqual([
      '~ slot hero: policy nothing → {"type":"fixed","contentIds":["x"]}',
      `${site}: drafted after revision 2`,
      '! slot hero lists content "x", which there is not',
    ])
    expect((await catalog()).revision).toBe(2)
    await write('content.json', [])
    const pulled = await command('pull', folder)
    expect(pulled.said).toContainEqual(expect.stringContaining('content.json differs from what is published'))
    expect(await readFile(join(folder, 'content.json'), 'utf8')).toBe('[]')
    await command('pull', folder, '--force')
    expect((await readFolder(folder)).content).toHaveLength(2)
  })

  it('warns of content that decision tests name and that there is not, once, with the file', async () => {
    await write('slots.json', [hero()])
    await write('content.json', [content('a')])
    await mkdir(join(folder, 'tests'))
    await write('tests/sale.json', { name: 'no sale', slot: 'hero', expect: { never: ['salle'], anyOf: ['a', 'b'] } })
    const at = `${join(folder, 'tests', 'sale.json')}: tests[0] no sale`
    expect(await command('push', folder)).toEqual({
      said: [
        ...['+ slot hero', '+ content a', '1 decision test passed'],
        `! ${at}: never salle: there is no such content`,
        `! ${at}: anyOf b: there is no such content`,
        `${site}: catalog revision 1`,
      ],
      failed: undefined,
    })
    expect((await outcomeOf(print => runCommand({ do: 'check', folder }, {}, print))).said).toContain(
      `! ${at}: never salle: there is no such content`,
    )
  })

  it('tells what the collector refuses, and publishes nothing', async () => {
    await write('slots.json', [hero()])
    await write('content.json', [content('a', { where: { segments: { $in: ['vip'] } } })])
    const { failed } = await command('push', folder)
    expect(failed).toContain('content[0]: where.segments: there is no segment "vip"')
    expect((await catalog()).revision).toBe(0)
  })
})
