import { existsSync, readFileSync } from 'node:fs'

/** One file of a release, and what its bytes must hash to. */
export interface ReleaseAsset {
  url: string
  /** SHA-256 of the file, in hexadecimal. */
  sha256: string
}

/** A pinned release: assets by `<platform>-<arch>`, in Node's words. A platform without a known sum is left out. */
export interface Release {
  version: string
  /** Where the sums come from. */
  source: string
  assets: Readonly<Record<string, ReleaseAsset>>
}

/** Returns the pinned release of nats-server, from `nats-release.json`. */
export function natsRelease(): Release {
  // The compiler doesn't copy data files: the built program, in dist/obtain, reads the one beside the sources.
  const [beside, sources] = ['./nats-release.json', '../../obtain/nats-release.json'].map(
    path => new URL(path, import.meta.url),
  )
  return JSON.parse(readFileSync(existsSync(beside!) ? beside! : sources!, 'utf8')) as Release
}
