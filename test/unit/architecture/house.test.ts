import { describe, expect, it } from 'vitest'
import { reachableFrom, sourceFiles } from './imports.js'
import { crowdedFolders, exportsOf, linesOf, MAX_LINES, measureHouse, productFiles } from './measure.js'
import { isNameless } from './nameless.js'

/** Lists, not logic; and a closure of the SDK, which would cost bytes in every page as several files. */
const LONG_FILES = ['protocol/index.ts', 'clickhouse/guard/names/engine-names.ts', 'sdk/client/client.ts']

/** Packages whose words have been gone through. */
const GONE_THROUGH =
  /^(sdk|collector|aggregator|core|protocol|tracking-plan|runtime|clickhouse|supervisor|cli|sources|bench|examples)\//

const sources = sourceFiles()
const files = productFiles(sources)
const goneThrough = sources.filter(({ path }) => GONE_THROUGH.test(path))

describe('the house', () => {
  it('has rooms where a folder would have more than a dozen files', () => {
    expect(crowdedFolders(files)).toEqual([])
  })

  it('has files of logic below 250 lines', () => {
    const long = files.filter(file => linesOf(file) >= MAX_LINES).map(({ path }) => path)
    expect(long.filter(path => !LONG_FILES.includes(path))).toEqual([])
  })

  it.each([
    ['policy', /^core\/policies\//, 'core/policies/propose.ts'],
    ['signal', /^core\/signals\/(?!signal-)/, 'core/signals/detect.ts'],
    ['admin route', /^collector\/admin\/\w+\/routes\.ts$/, 'collector/admin/routes.ts'],
    // Page views are in the first file of every page.
    ['capture plugin', /^sdk\/plugins\/capture\/(?!page-views)/, 'sdk/plugins/later-plugins.ts'],
  ])('lists every %s where CONTRIBUTING.md says', (_what, place, list) => {
    const all = files.filter(({ path }) => place.test(path)).map(({ path }) => path)
    expect(all.length).toBeGreaterThan(2)
    const listed = reachableFrom(files, list)
    expect(all.filter(path => !listed.has(path))).toEqual([])
  })

  it('has docstrings that begin with a verb or a noun, where they have been gone through', () => {
    const begun = goneThrough.flatMap(({ path, text }) =>
      [
        ...text.matchAll(/\/\*\*\s+(?:\* )?((?:What|Who|Whose|Whoever)\b.{0,40})/g),
        ...text.matchAll(/\/\*\*\s+(?:\* )?(Whether\b[^/]{0,400}?)\*\/\s*(?:export )?(?:async )?function/g),
      ].map(([, begin]) => `${path}: ${begin}`),
    )
    expect(begun).toEqual([])
  })

  it('has variables and parameters that name the thing, where they have been gone through', () => {
    const nameless = goneThrough.flatMap(({ path, text }) =>
      text
        .split('\n')
        .filter(isNameless)
        .map(line => `${path}: ${line.trim()}`),
    )
    expect(nameless).toEqual([])
  })

  it.each([
    'const found = 1',
    'let made: string | undefined',
    'function one(a: string) {}',
    'for (const known of all) {}',
    'const { past, of } = value',
    'const { of: states, known = 1 } = value',
    'const [own, other] = sides',
    'list.map(one => one.id)',
    'list.forEach(({ id }, given) => {})',
    'call((kept, held) => kept)',
    'function check(asked: string) {}',
    '  wanted: string,',
  ])('finds the name that says nothing in %s', line => {
    expect(isNameless(line)).toBe(true)
  })

  it.each([
    'const foundAt = 1',
    'const { of: states } = value',
    'for (const id of known) {}',
    'return { held: counts, told }',
    'isFit(found, 1)',
    'f(own, () => 1)',
  ])('finds none in %s', line => {
    expect(isNameless(line)).toBe(false)
  })

  it('has comments whose lines end at 120 characters', () => {
    const wide = files.flatMap(({ path, text }) =>
      text
        .split('\n')
        .filter(line => line.length > 120 && /^\s*(\/\/|\/\*|\*)/.test(line) && line.trim().includes(' '))
        .map(line => `${path}: ${line.trim()}`),
    )
    expect(wide).toEqual([])
  })

  it('counts exports, and those with a docstring', () => {
    const text =
      '/** One. */\nexport const one = 1\nexport function two() {}\n/**\n * Three.\n */\nexport interface Three {}\n'
    expect(exportsOf({ text })).toEqual({ all: 3, described: 2 })
  })

  // HOUSE_ROOT=$PWD npx vitest run --project unit test/unit/architecture/house.test.ts
  it('prints the numbers of docs/adr/0000-house.md for the checkout in HOUSE_ROOT', () => {
    const root = process.env.HOUSE_ROOT
    if (!root) return
    console.log(
      Object.entries(measureHouse(root))
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n'),
    )
  }, 120_000)
})
