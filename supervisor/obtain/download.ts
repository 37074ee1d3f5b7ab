import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Machine } from './machine/machine.js'
import type { ReleaseAsset } from './release.js'

/** How long a server may take to answer at all, in milliseconds. Without a network, a start should not wait for it. */
const CONNECT_MS = 3_000

/** Makes sure that a server answers at once. Throws what fetch throws, or that it took too long. */
export async function reach(url: string, machine: Pick<Machine, 'fetch'>): Promise<void> {
  await machine.fetch(url, { method: 'HEAD', redirect: 'manual', timeoutMs: CONNECT_MS }).catch((error: Error) => {
    if (error.name !== 'TimeoutError') throw error
    throw new Error(`${new URL(url).host} did not answer within ${CONNECT_MS / 1000} s`)
  })
}

/**
 * Streams an archive into `folder`, and extracts it once its SHA-256 is what the asset promises; an archive with
 * another hash is deleted unopened. Resolves to the path of `program`, which lies in the archive's only folder,
 * named after the archive. Throws when the server doesn't answer 200, on a wrong hash, and when `tar` fails.
 */
export async function download(
  { url, sha256 }: ReleaseAsset,
  folder: string,
  program: string,
  machine: Pick<Machine, 'platform' | 'env' | 'run' | 'fetch'>,
): Promise<string> {
  const response = await machine.fetch(url)
  if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status} ${response.statusText}`)
  const name = basename(new URL(url).pathname)
  const archive = join(folder, name)
  const hash = createHash('sha256')
  const hashing = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  await pipeline(Readable.fromWeb(response.body), hashing, createWriteStream(archive))
  const actual = hash.digest('hex')
  if (actual !== sha256) {
    await rm(archive)
    throw new Error(`${url} has SHA-256 ${actual} instead of ${sha256}: rejected and deleted`)
  }
  await machine.run(tar(machine), ['-xf', name], { cwd: folder })
  return join(folder, name.replace(/\.(tar\.gz|zip)$/, ''), program)
}

// Windows has a tar that reads zip files too; the one that Git puts on PATH does not.
function tar({ platform, env }: Pick<Machine, 'platform' | 'env'>): string {
  return platform === 'win32' ? join(env.SystemRoot ?? 'C:\\Windows', 'System32', 'tar.exe') : 'tar'
}
