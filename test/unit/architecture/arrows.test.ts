import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { circlesOf, importsOf, type SourceFile, sourceFiles } from './imports.js'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const { arrows, circles } = JSON.parse(read('arrows.json')) as { arrows: Record<string, string[]>; circles: string[][] }
const files = sourceFiles()
const packageOf = (file: string) => file.split('/')[0]!

describe('arrows', () => {
  it('run one way: every import into another package is one that arrows.json allows', () => {
    const forbidden = files
      .filter(({ path }) => packageOf(path) in arrows)
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ target }) => packageOf(target) !== packageOf(path))
          .filter(({ target }) => !arrows[packageOf(path)]!.includes(packageOf(target)))
          .map(({ text }) => `${path} imports ${text}`),
      )
    expect(forbidden).toEqual([])
  })

  it('of programs do not reach inside other packages by relative paths', () => {
    const inside = files
      .filter(({ path }) => packageOf(path) !== 'test')
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ text, target }) => text.startsWith('.') && packageOf(target) !== packageOf(path))
          .map(({ text }) => `${path} imports ${text}`),
      )
    expect(inside).toEqual([])
  })

  it('make no circles but those that are known, which only shrink', () => {
    expect(circlesOf(files).toSorted()).toEqual(circles.toSorted())
  })

  it('are those that the architecture page shows', () => {
    const page = read('../../../docs/architecture.md')
    for (const [name, targets] of Object.entries(arrows))
      expect(page).toContain(
        `| \`${name}/\` | ${targets.map(target => `\`${target}\``).join(', ') || 'nothing of ours'} |`,
      )
  })
})

describe('the reader of imports', () => {
  const file = (path: string, text: string): SourceFile => ({
    path,
    imports: importsOf(path, text, new Set(['a/x.ts', 'a/y.ts'])),
  })

  it('finds imports, exports and late imports, by relative path and by package', () => {
    const { imports } = file(
      'a/x.ts',
      "import y from './y.js'\nexport * from '@slotstream/runtime'\nawait import('./y.js')\nimport fs from 'node:fs'",
    )
    expect(imports.map(({ target }) => target)).toEqual(['a/y.ts', 'runtime', 'a/y.ts'])
  })

  it('finds a circle', () => {
    expect(circlesOf([file('a/x.ts', "import './y.js'"), file('a/y.ts', "import './x.js'")])).toEqual([
      ['a/x.ts', 'a/y.ts'],
    ])
  })
})
