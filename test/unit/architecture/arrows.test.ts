import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { circlesOf, type Import, importsOf, readsEnvironment, type SourceFile, sourceFiles } from './imports.js'

/** What may import what; docs/architecture.md prints the same. */
interface Arrows {
  /** Of each package: the packages of ours that it may import. */
  packages: Record<string, string[]>
  /** Of packages that run on any platform: all else that they may import. */
  outside: Record<string, string[]>
  /** Of rooms: what may import them from the same package, besides themselves and its `index.ts`. */
  doors: Record<string, string[]>
  /**
   * What may read the environment of the process: names of files anywhere, folders and files. All else is handed it.
   */
  environment: string[]
  /** Of texts that say how something is stored: the one file that may hold them. */
  owners: Record<string, string>
  /** Groups of files that import one another; only shrinks. */
  circles: string[][]
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const { packages, outside, doors, environment, owners, circles } = JSON.parse(read('arrows.json')) as Arrows
const files = sourceFiles()
const packageOf = (file: string) => file.split('/')[0]!
const isIn = (file: string, place: string) => file === place || file.startsWith(`${place}/`)

/** Lists the imports of the programs that are not allowed, as `<file> imports <text>`. */
const forbidden = (isAllowed: (path: string, imported: Import) => boolean): string[] =>
  files
    .filter(({ path }) => packageOf(path) in packages)
    .flatMap(({ path, imports }) =>
      imports.filter(imported => !isAllowed(path, imported)).map(({ text }) => `${path} imports ${text}`),
    )

/** The innermost room with a door that a file is in. */
const roomOf = (file: string) =>
  Object.keys(doors)
    .filter(room => isIn(file, room))
    .toSorted((a, b) => b.length - a.length)[0]

describe('arrows', () => {
  it('run one way: every import of another package is one that arrows.json allows', () => {
    const allowed = (path: string, { target, isOurs }: Import) =>
      !isOurs || [packageOf(path), ...packages[packageOf(path)]!].includes(packageOf(target))
    expect(forbidden(allowed)).toEqual([])
  })

  it('of pure packages lead to nothing that only one platform has', () => {
    const allowed = (path: string, { target, isOurs }: Import) =>
      isOurs || (outside[packageOf(path)]?.includes(target) ?? true)
    expect(forbidden(allowed)).toEqual([])
  })

  it('go through the doors of rooms', () => {
    const allowed = (path: string, { target, isOurs }: Import) => {
      const room = isOurs ? roomOf(target) : undefined
      if (!room || packageOf(path) !== packageOf(target) || path === `${packageOf(path)}/index.ts`) return true
      return [room, ...doors[room]!].some(place => isIn(path, place))
    }
    expect(forbidden(allowed)).toEqual([])
  })

  it('lead inside other packages only from tests, by `imports` of package.json and never by relative paths', () => {
    const isBuildScript = (path: string) => path.endsWith('.js')
    const inside = files.flatMap(({ path, imports }) =>
      imports
        .filter(({ text, target }) => text.startsWith('.') && packageOf(target) !== packageOf(path))
        .filter(({ target }) => !isBuildScript(target))
        .map(({ text }) => `${path} imports ${text}`),
    )
    expect(inside).toEqual([])
  })

  it('bring settings: only programs and the settings room read the environment', () => {
    const mayRead = (path: string) =>
      environment.some(place => isIn(path, place) || path.slice(path.lastIndexOf('/') + 1) === place)
    const readers = files.filter(({ path }) => packageOf(path) in packages && packageOf(path) !== 'bench')
    expect(
      readers.filter(({ path, readsEnvironment }) => readsEnvironment && !mayRead(path)).map(({ path }) => path),
    ).toEqual([])
  })

  it('lead to one owner of how things are stored', () => {
    const elsewhere = Object.entries(owners).flatMap(([text, owner]) =>
      files
        .filter(({ path, code }) => packageOf(path) in packages && path !== owner && code.includes(text))
        .map(({ path }) => `${path} has "${text}", which is for ${owner}`),
    )
    expect(elsewhere).toEqual([])
    expect(Object.entries(owners).filter(([text, owner]) => !read(`../../../${owner}`).includes(text))).toEqual([])
  })

  it('leave reading a recorded draw to `parseDraw`, which checks it: nothing is cast to one', () => {
    const casts = files.filter(
      ({ path, code }) => packageOf(path) in packages && /\bas RecordedDraw\b|json<RecordedDraw\b/.test(code),
    )
    expect(casts.map(({ path }) => path)).toEqual([])
  })

  it('make no circles but those that are known, which only shrink', () => {
    expect(circlesOf(files).toSorted()).toEqual(circles.toSorted())
  })

  it('name rooms that there are', () => {
    const places = [...Object.keys(doors), ...Object.values(doors).flat()]
    expect(places.filter(place => !files.some(({ path }) => isIn(path, place)))).toEqual([])
  })

  it('are those that the architecture page shows', () => {
    const page = read('../../../docs/architecture.md')
    const list = (names: string[], none: string) => names.map(name => `\`${name}\``).join(', ') || none
    for (const [name, targets] of Object.entries(packages))
      expect(page).toContain(`| \`${name}/\` | ${list(targets, 'nothing of ours')} |`)
    for (const [room, places] of Object.entries(doors))
      expect(page).toContain(`| \`${room}/\` | ${list(places, 'nothing')} |`)
  })
})

describe('the reader of imports', () => {
  const file = (path: string, text: string): SourceFile => ({
    path,
    text,
    imports: importsOf(path, text, new Set(['a/x.ts', 'a/y.ts'])),
    code: text,
    readsEnvironment: false,
  })

  it('tells what reads the environment: by name, or by a setting that is given none', () => {
    const readers = ['f(process.env)', "numberSetting('PORT')", "neededSecret('ADMIN_TOKEN', 'it guards sites')"]
    expect(readers.filter(source => !readsEnvironment(source))).toEqual([])
    const others = [
      '// process.env',
      '/** process.env */',
      "numberSetting('PORT', env)",
      "neededSecret('A', 'why', env)",
    ]
    expect(others.filter(readsEnvironment)).toEqual([])
  })

  it('finds imports, exports and late imports, by relative path and by package', () => {
    const { imports } = file(
      'a/x.ts',
      "import y from './y.js'\nexport * from '@slotstream/runtime'\nawait import('./y.js')\nimport fs from 'node:fs'",
    )
    expect(imports.map(({ target }) => target)).toEqual(['a/y.ts', 'runtime', 'a/y.ts', 'node:fs'])
    expect(imports.map(({ isOurs }) => isOurs)).toEqual([true, true, true, false])
  })

  it('finds a circle', () => {
    expect(circlesOf([file('a/x.ts', "import './y.js'"), file('a/y.ts', "import './x.js'")])).toEqual([
      ['a/x.ts', 'a/y.ts'],
    ])
  })
})
