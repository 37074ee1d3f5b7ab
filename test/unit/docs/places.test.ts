import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const FILES = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** What there is of each kind: by names of it, all places that the table names for its kind are found. */
const EXAMPLES: Record<string, RegExp> = {
  policy: /thompson/,
  signal: /repeated_view|repeatedView/,
  column: /decision_id/,
  'admin route': /[Ww]ebhook/,
  'capture plugin': /linkDomains|link-domains/,
}

/** Returns the places of each kind that the table of a page names. */
function placesIn(page: string): Record<string, string[]> {
  const rows = [...read(page).matchAll(/^ *\| (policy|signal|column|admin route|capture plugin) \|(.*)$/gm)]
  return Object.fromEntries(
    rows.map(([, kind, places]) => [kind, [...places!.matchAll(/`([^`]+)`/g)].map(([, place]) => place)]),
  )
}

describe('the table of places for what is new', () => {
  it('is the same in CONTRIBUTING.md and in the decision', () => {
    expect(placesIn('docs/adr/0000-house.md')).toEqual(placesIn('CONTRIBUTING.md'))
  })

  it.each(Object.entries(EXAMPLES))('names for a %s only places where one of its kind is', (kind, name) => {
    const places = placesIn('CONTRIBUTING.md')[kind]!
    expect(places.length).toBeGreaterThan(1)
    const has = (place: string) =>
      FILES.some(file => (file === place || file.startsWith(place)) && (name.test(file) || name.test(read(file))))
    expect(places.filter(place => place !== 'routes.ts' && !has(place))).toEqual([])
  })
})
