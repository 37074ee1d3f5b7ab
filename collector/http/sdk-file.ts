import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import type { RequestHandler } from 'express'
import { Failure } from './failure.js'

/** How long browsers and CDNs may use the script without asking, in seconds: a new version is everywhere after that. */
const MAX_AGE_SECONDS = 300

/** Serves the plugins that the script loads when they are switched on, from its own folder, by their names. */
export function sdkPlugins(folder: string): RequestHandler {
  const files = new Map<string, RequestHandler>()
  return (request, response, next) => {
    const { file = '' } = request.params
    if (typeof file !== 'string' || !/^[a-z-]+\.js$/.test(file)) return next()
    const path = join(folder, file)
    const handler = files.get(file) ?? (existsSync(path) && sdkFile(path))
    if (!handler) return next()
    files.set(file, handler)
    return handler(request, response, next)
  }
}

type Variants = Record<'br' | 'gzip' | 'identity', Buffer> & { etag: string }

/** Serves a bundle from memory, compressed once, when it is first asked for. */
export function sdkFile(path: string): RequestHandler {
  let loading: Promise<Variants> | undefined
  return async (request, response) => {
    loading ??= load(path)
    const variants = await loading.catch(() => {
      loading = undefined
      throw new Failure('not_found', 'the SDK is not built: run "npm run build"')
    })
    const encoding = preferred(request.headers['accept-encoding'] ?? '')
    response.set({
      'Content-Type': 'text/javascript; charset=utf-8',
      'Cache-Control': `public, max-age=${MAX_AGE_SECONDS}`,
      ETag: variants.etag,
      Vary: 'Accept-Encoding',
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    })
    if (encoding !== 'identity') response.set('Content-Encoding', encoding)
    response.send(variants[encoding])
  }
}

async function load(path: string): Promise<Variants> {
  const identity = await readFile(path)
  const [br, gz] = await Promise.all([promisify(brotliCompress)(identity), promisify(gzip)(identity, { level: 9 })])
  return { identity, br, gzip: gz, etag: `W/"${hash('sha256', identity, 'base64url').slice(0, 22)}"` }
}

function preferred(accepted: string): 'br' | 'gzip' | 'identity' {
  if (/\bbr\b/.test(accepted)) return 'br'
  return /\bgzip\b/.test(accepted) ? 'gzip' : 'identity'
}
