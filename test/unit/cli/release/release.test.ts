import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { RELEASED_FILES, ReleaseError, release } from '#cli/release/release.js'

const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')
const { workspaces, version } = JSON.parse(read('package.json')) as { workspaces: string[]; version: string }
const paths = [...RELEASED_FILES, ...workspaces.map(name => `${name}/package.json`)]
const files = new Map(paths.map(path => [path, read(path)]))

/** Every version that a checkout's files give for this product, by where. */
function versionsIn(texts: ReadonlyMap<string, string>): [place: string, version: string][] {
  return [...texts].flatMap(([path, text]): [string, string][] => {
    if (path === 'CHANGELOG.md') return [[path, /^## (\S+) — \d/m.exec(text)![1]!]]
    if (path === 'sdk/version.ts') return [[path, /VERSION = '(.*)'/.exec(text)![1]!]]
    const manifest = JSON.parse(text)
    const manifests =
      path === 'package-lock.json'
        ? [
            manifest,
            ...Object.entries(manifest.packages).flatMap(([at, each]) => (at.includes('node_modules/') ? [] : each)),
          ]
        : [manifest]
    return manifests.flatMap(each => [
      [path, each.version],
      ...Object.entries({ ...each.dependencies, ...each.devDependencies } as Record<string, string>)
        .filter(([name]) => name.startsWith('@slotstream/'))
        .map(([name, needed]): [string, string] => [`${path}: ${name}`, needed]),
    ])
  })
}

describe('the version', () => {
  it('is the same in all packages, the lock file, the SDK and the changelog', () => {
    expect(versionsIn(files).filter(([, found]) => found !== version)).toEqual([])
    expect(versionsIn(files).length).toBeGreaterThan(40)
  })

  it('heads a changelog with the date of each release, newest first, whose first entry says what the product is', () => {
    const text = read('CHANGELOG.md')
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!)
    expect(headings[0]).toMatch(/^\d+\.\d+\.\d+ — (unreleased|\d{4}-\d\d-\d\d)$/)
    for (const heading of headings.slice(1)) expect(heading).toMatch(/^\d+\.\d+\.\d+ — \d{4}-\d\d-\d\d$/)
    expect(headings.at(-1)).toMatch(/^0\.1\.0 /)
    expect(text.slice(text.indexOf(headings.at(-1)!))).toMatch(/^0\.1\.0 — .*\n\nThe first release\. Slotstream is /)
  })
})

describe('a release', () => {
  const unreleased = new Map(files).set(
    'CHANGELOG.md',
    '# Changelog\n\n## 0.2.0 — unreleased\n\n- x\n\n## 0.1.0 — 2026-12-01\n',
  )

  it('writes the version into all of them, and the date into the changelog', () => {
    const changed = release(unreleased, '0.2.0', '2027-01-31')
    expect([...changed.keys()].toSorted()).toEqual(paths.toSorted())
    expect(versionsIn(changed).filter(([, found]) => found !== '0.2.0')).toEqual([])
    expect(changed.get('CHANGELOG.md')).toContain('## 0.2.0 — 2027-01-31\n\n- x\n\n## 0.1.0 — 2026-12-01\n')
    // Nothing else changes: neither the layout of a file nor a version of another package.
    for (const [path, text] of changed)
      if (path !== 'CHANGELOG.md')
        expect(text.replaceAll('0.2.0', '0.1.0'), path).toBe(files.get(path)!.replaceAll('0.2.0', '0.1.0'))
  })

  it('changes only the changelog where the version is there already', () => {
    const first = new Map(files).set('CHANGELOG.md', `## ${version} — unreleased\n`)
    expect([...release(first, version, '2026-12-01').keys()]).toEqual(['CHANGELOG.md'])
  })

  it.each([
    ['v0.2.0', '2027-01-31', '"v0.2.0" is no version'],
    ['0.2', '2027-01-31', 'is no version'],
    ['0.2.0', '31.1.2027', 'is no date'],
    ['0.3.0', '2027-01-31', 'it must be "## 0.3.0 — unreleased"'],
  ])('of %s at %s is rejected with what to do', (asked, date, reason) => {
    expect(() => release(unreleased, asked, date)).toThrow(ReleaseError)
    expect(() => release(unreleased, asked, date)).toThrow(reason)
  })
})
