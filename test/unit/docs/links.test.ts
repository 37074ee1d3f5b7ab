import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).trim().split('\n')

/** A page without its code, in which brackets and # mean something else. */
function proseOf(page: string): string {
  return readFileSync(join(root, page), 'utf8')
    .replace(/^```.*?^```/gms, '')
    .replace(/`[^`]*`/g, code => code.replace(/[[\]()]/g, ''))
}

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
}

it('every link between pages leads to a file, and every anchor to a heading', () => {
  const anchors = new Map(
    pages.map(page => [
      page,
      new Set([...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!))),
    ]),
  )
  const links = pages.flatMap(page =>
    [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link!)
      .filter(link => !/^(https?|mailto):/.test(link))
      .map(link => ({ page, link })),
  )
  expect(links.length).toBeGreaterThan(100)
  const broken = links.filter(({ page, link }) => {
    const [path, anchor] = link.split('#')
    const target = path ? normalize(join(dirname(page), path)) : page
    return !existsSync(join(root, target)) || (anchor !== undefined && !anchors.get(target)?.has(anchor))
  })
  expect(broken).toEqual([])
})
