import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'
import { minify } from 'terser'

const sdk = new URL('../', import.meta.url)

/**
 * Weighs the built package, beside its budget: files of the script tag as they are served, all of them that a page
 * loads by itself, and imports as a page's own bundler makes them, without what loads later.
 *
 * @returns {Promise<{ entry: string, bytes: number, budget: number }[]>}
 */
export async function sizes() {
  const { files, pages, imports } = JSON.parse(await readFile(new URL('budget.json', sdk), 'utf8'))
  const served = Object.entries(files).map(async ([file, budget]) => ({
    entry: file,
    bytes: await weigh(file),
    budget,
  }))
  const bundled = Object.entries(imports).map(async ([entry, budget]) => ({
    entry,
    bytes: await bundle(entry),
    budget,
  }))
  const loaded = Object.entries(pages).map(async ([entry, { files, bytes: budget }]) => ({
    entry,
    bytes: (await Promise.all(files.map(weigh))).reduce((sum, bytes) => sum + bytes),
    budget,
  }))
  return Promise.all([...served, ...loaded, ...bundled])
}

const weigh = async file => brotliCompressSync(await readFile(new URL(`dist/${file}`, sdk))).length

/** Bytes of the files that come first on a page that imports these names and hands them on. */
async function bundle(statement) {
  const page = {
    name: 'page',
    resolveId: source =>
      ({
        page: 'page',
        slotstream: { id: fileURLToPath(new URL('dist/npm/index.js', sdk)), moduleSideEffects: false },
      })[source] ?? null,
    load: id => (id === 'page' ? `${statement.replace('import', 'export')}` : null),
  }
  const build = await rollup({ input: 'page', plugins: [page, nodeResolve({ browser: true })] })
  const { output } = await build.generate({ format: 'es' })
  const chunks = new Map(output.map(chunk => [chunk.fileName, chunk]))
  const first = new Set([output[0].fileName])
  for (const name of first) for (const imported of chunks.get(name).imports) first.add(imported)
  let bytes = 0
  for (const name of first) {
    const { code } = await minify(chunks.get(name).code, { module: true })
    bytes += brotliCompressSync(code).length
  }
  return bytes
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = await sizes()
  if (process.argv.includes('--json')) console.log(JSON.stringify(table))
  else console.table(Object.fromEntries(table.map(({ entry, bytes, budget }) => [entry, { bytes, budget }])))
  if (table.some(({ bytes, budget }) => bytes > budget)) process.exitCode = 1
}
