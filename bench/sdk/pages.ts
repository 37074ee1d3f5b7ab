import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import { build } from 'vite'

/** The SDKs that are measured: ours first. Each of the others has a page script under `pages/`. */
export const SDKS = ['slotstream', 'snowplow', 'segment', 'posthog', 'rudderstack'] as const

export interface Bundle {
  name: string
  /** A script that defines `sdk`: `start(origin)` and `track(event, properties)`. */
  code: string
  /** Of the code after brotli. */
  bytes: number
}

/**
 * Returns what the script tag loads, with all that a page gets by default; the parts come from `/sdk/` when they are
 * wanted.
 */
async function ownScript(): Promise<string> {
  const script = await readFile(fileURLToPath(new URL('../../../sdk/dist/slotstream.js', import.meta.url)), 'utf8')
  return `${script}
var sdk = { start: endpoint => slotstream.init({ writeKey: 'demo', endpoint }), track: slotstream.track }`
}

/**
 * Ours as the script tag loads it; another as a page's own bundler would: only what is imported, minified, in one file.
 */
export async function bundle(name: (typeof SDKS)[number]): Promise<Bundle> {
  const code = name === 'slotstream' ? await ownScript() : await built(name)
  return { name, code, bytes: brotliCompressSync(code).length }
}

async function built(name: string): Promise<string> {
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
  const [output] = Array.isArray(result) ? result : [result]
  if (!output || !('output' in output)) throw new Error(`${name} was not bundled`)
  return output.output[0].code
}
