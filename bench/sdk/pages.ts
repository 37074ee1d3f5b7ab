import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import { build } from 'vite'

/** The SDKs that are measured: ours first. Each has a page script under `pages/`. */
export const SDKS = ['slotstream', 'snowplow', 'segment', 'posthog', 'rudderstack'] as const

export interface Bundle {
  name: string
  /** A script that defines `sdk`: `start(origin)` and `track(event, properties)`. */
  code: string
  /** Of the code after brotli. */
  bytes: number
}

/** Bundles an SDK as a page's own bundler would: only what is imported, minified, in one file. */
export async function bundle(name: string): Promise<Bundle> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    root: fileURLToPath(new URL('../../sdk/pages/', import.meta.url)),
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      target: 'es2022',
      lib: {
        entry: fileURLToPath(new URL(`../../sdk/pages/${name}.js`, import.meta.url)),
        formats: ['iife'],
        name: 'sdk',
      },
    },
  })
  const [built] = Array.isArray(result) ? result : [result]
  if (!built || !('output' in built)) throw new Error(`${name} was not bundled`)
  const { code } = built.output[0]
  return { name, code, bytes: brotliCompressSync(code).length }
}
