import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PAGES = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n')
  // What was, is named there.
  .filter(page => page !== 'CHANGELOG.md' && page !== 'docs/adr/0000-house.md')

/** A file of source code or a folder, as pages name them in code spans. */
const PATH = /`((?!DATA_DIR)[\w-]+\/[\w./-]*(?:\w\/|\.(?:ts|tsx|sql|json)))`/g

it('pages name files and folders of the code that are there', () => {
  const found = PAGES.flatMap(page =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(PATH)].map(([, path = '']) => ({ page, path })),
  )
  expect(found.length).toBeGreaterThan(50)
  const isThere = (page: string, path: string) =>
    [ROOT, join(ROOT, dirname(page))].some(at => existsSync(join(at, path)))
  expect(found.filter(({ page, path }) => !isThere(page, path)).map(({ page, path }) => `${page}: ${path}`)).toEqual([])
})
