/** A release that cannot be made as asked. The message says why and what to do. */
export class ReleaseError extends Error {
  override name = 'ReleaseError'
}

const CHANGELOG = 'CHANGELOG.md'
const LOCK = 'package-lock.json'
const SDK_VERSION = 'sdk/version.ts'

/** Files besides the packages' own, by their paths in the checkout. */
export const RELEASED_FILES = ['package.json', CHANGELOG, LOCK, SDK_VERSION] as const

/** Packages of this repository, as their names begin in dependencies. */
const OURS = '@slotstream/'

interface Manifest {
  version: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

/**
 * Writes a version into every file that names it: all packages and what they need of each other, the lock file, the
 * SDK, and the changelog, whose "unreleased" becomes the date.
 *
 * @param files texts by path: `RELEASED_FILES`, and `package.json` of every package
 * @param version semantic version, without `v`
 * @param date ISO 8601, `2027-01-31`
 * @returns the texts that change
 * @throws ReleaseError
 */
export function release(files: ReadonlyMap<string, string>, version: string, date: string): Map<string, string> {
  if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
    throw new ReleaseError(`"${version}" is no version: give 0.2.0, say`)
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) throw new ReleaseError(`"${date}" is no date: give 2027-01-31, say`)
  const changed = new Map<string, string>()
  for (const [path, text] of files) {
    const next = rewritten(path, text, version, date)
    if (next !== text) changed.set(path, next)
  }
  return changed
}

function rewritten(path: string, text: string, version: string, date: string): string {
  if (path === CHANGELOG) return withReleaseDate(text, version, date)
  if (path === SDK_VERSION) return text.replace(/VERSION = '[^']*'/, `VERSION = '${version}'`)
  if (path === LOCK) return lockWithVersion(text, version)
  const { version: old } = JSON.parse(text) as Manifest
  // The text, not the object: it keeps its layout.
  return text
    .replace(`"version": "${old}"`, `"version": "${version}"`)
    .replaceAll(new RegExp(`("${OURS}[^"]+": )"${old}"`, 'g'), `$1"${version}"`)
}

function withReleaseDate(text: string, version: string, date: string): string {
  const [heading] = /^## .*$/m.exec(text) ?? []
  if (heading !== `## ${version} — unreleased`)
    throw new ReleaseError(`CHANGELOG.md begins with "${heading}": it must be "## ${version} — unreleased"`)
  return text.replace(heading, `## ${version} — ${date}`)
}

function lockWithVersion(text: string, version: string): string {
  const lock = JSON.parse(text) as { version: string; packages: Record<string, Manifest> }
  lock.version = version
  for (const [path, manifest] of Object.entries(lock.packages)) {
    if (path.includes('node_modules/')) continue
    manifest.version = version
    for (const list of [manifest.dependencies, manifest.devDependencies])
      for (const name of Object.keys(list ?? {})) if (name.startsWith(OURS)) list![name] = version
  }
  return `${JSON.stringify(lock, undefined, 2)}\n`
}
