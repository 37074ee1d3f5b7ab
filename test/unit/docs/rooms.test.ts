import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Pages that say what is in the rooms of a package. */
const PAGES = {
  aggregator: 'aggregator/README.md',
  cli: 'cli/README.md',
  clickhouse: 'clickhouse/README.md',
  collector: 'collector/README.md',
  core: 'core/README.md',
  protocol: 'protocol/README.md',
  runtime: 'runtime/README.md',
  sdk: 'sdk/CONTRIBUTING.md',
  sources: 'sources/README.md',
  supervisor: 'supervisor/README.md',
  'tracking-plan': 'tracking-plan/README.md',
}

it.each(Object.entries(PAGES))('every room of %s has its line in %s', (folder, page) => {
  const files = execFileSync('git', ['ls-files', folder], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
  const rooms = new Set(files.map(file => file.split('/')).flatMap(([, room, more]) => (more ? [room] : [])))
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n')
  // Of a table the first cells: the others name rooms of rooms.
  const named = lines.map(line => (line.startsWith('|') ? line.split('|')[1] : line)).join(' ')
  expect([...rooms].filter(room => !named.includes(`\`${room}/`))).toEqual([])
})
