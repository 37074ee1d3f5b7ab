import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { RELEASED_FILES, ReleaseError, release } from './release.js'

const USAGE = 'npm run release -- VERSION: writes the version and the date of today (UTC) into all files that name it\n'

try {
  const [version, ...others] = process.argv.slice(2)
  if (version === undefined || others.length > 0) throw new ReleaseError(USAGE.trim())
  const files = new Map(pathsOf().map(path => [path, readFileSync(fileOf(path), 'utf8')]))
  const changed = release(files, version, new Date().toISOString().slice(0, 10))
  for (const [path, text] of changed) writeFileSync(fileOf(path), text)
  process.stdout.write(`${[...changed.keys()].join('\n')}\n\nLook at the changes, then:\n`)
  process.stdout.write(`git commit --all --message "Release ${version}" && git tag --annotate v${version}\n`)
} catch (error) {
  if (!(error instanceof ReleaseError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}

function pathsOf(): string[] {
  const { workspaces } = JSON.parse(readFileSync(fileOf('package.json'), 'utf8')) as { workspaces: string[] }
  return [...RELEASED_FILES, ...workspaces.map(name => `${name}/package.json`)]
}

function fileOf(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url))
}
