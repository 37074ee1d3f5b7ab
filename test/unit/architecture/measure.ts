import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { circlesOf, packagesOf, type SourceFile, sourceFiles } from './imports.js'

/** Most files that a folder may have beside its rooms. */
export const MAX_LOOSE_FILES = 12

/** Lines that a file of logic stays below. */
export const MAX_LINES = 250

/** A declaration that other files may import. */
const EXPORT = /^export (?:default |declare )?(?:abstract )?(?:async )?(?:function|class|const|interface|type|enum)\b/

/** The files that are the product: neither tests nor benches, nor types of what others wrote. */
export function productFiles(files: readonly SourceFile[]): SourceFile[] {
  return files.filter(({ path }) => !/^(test|bench)\//.test(path))
}

/** Lists the folders with more than `MAX_LOOSE_FILES` files of the product, rooms in them aside. */
export function crowdedFolders(files: readonly SourceFile[]): string[] {
  const counts = new Map<string, number>()
  for (const { path } of files) {
    const folder = path.slice(0, path.lastIndexOf('/'))
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  return [...counts].filter(([, count]) => count > MAX_LOOSE_FILES).map(([folder, count]) => `${folder}: ${count}`)
}

export function linesOf({ text }: Pick<SourceFile, 'text'>): number {
  return text.trimEnd().split('\n').length
}

/** Counts the exported declarations of a file, and those right behind a comment `/** … *​/`. */
export function exportsOf({ text }: Pick<SourceFile, 'text'>): { all: number; described: number } {
  const lines = text.split('\n')
  const found = lines.flatMap((line, index) => (EXPORT.test(line) ? [lines[index - 1] ?? ''] : []))
  return { all: found.length, described: found.filter(before => before.trimEnd().endsWith('*/')).length }
}

/** Measures a checkout as docs/adr/0000-house.md has it. Takes seconds: Biome counts the lines of functions. */
export function measureHouse(root: string): Record<string, string | number> {
  const files = sourceFiles(root)
  const product = productFiles(files)
  const lines = product.map(linesOf).toSorted((a, b) => a - b)
  const longest = product.toSorted((a, b) => linesOf(b) - linesOf(a)).slice(0, 3)
  const counts = product.map(exportsOf)
  const exported = counts.reduce((sum, { all }) => sum + all, 0)
  const described = counts.reduce((sum, count) => sum + count.described, 0)
  const long = longFunctions(root)
  const intoPackages = files
    .filter(({ path }) => path.startsWith('test/'))
    .flatMap(({ imports }) => imports.filter(({ text, target }) => text.startsWith('.') && !target.startsWith('test/')))
  return {
    packages: packagesOf(root).length,
    'source files': product.length,
    'median lines': lines[lines.length >> 1] ?? 0,
    'longest files': longest.map(file => `${file.path} ${linesOf(file)}`).join(', '),
    'functions over 70 lines': long.length,
    'functions over 100 lines': long.filter(({ count }) => count > 100).length,
    'long functions': long.map(({ path, count }) => `${relative(root, path)} ${count}`).join(', '),
    'exports with a docstring': `${((100 * described) / exported).toFixed(1)} % of ${exported}`,
    'crowded folders': crowdedFolders(product).join(', ') || 'none',
    'relative imports of tests into packages': intoPackages.length,
    'circles of files': circlesOf(files).length,
    'files that read the environment, besides main.ts and the settings room': product.filter(
      ({ path, readsEnvironment }) => readsEnvironment && !/(^|\/)main\.ts$|^runtime\/settings\//.test(path),
    ).length,
  }
}

/** The functions with more than 70 lines, blank ones not counted, as Biome's rule counts them. */
function longFunctions(root: string): { path: string; count: number }[] {
  const folder = mkdtempSync(join(tmpdir(), 'slotstream-lines-'))
  const rule = { level: 'error', options: { maxLines: 70, skipBlankLines: true } }
  const config = { linter: { rules: { preset: 'none', complexity: { noExcessiveLinesPerFunction: rule } } } }
  writeFileSync(join(folder, 'biome.json'), JSON.stringify({ root: true, ...config }))
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')
  const packages = packagesOf(root).filter(name => name !== 'test' && name !== 'bench')
  const options = ['--reporter=github', '--max-diagnostics=none', `--config-path=${folder}`]
  try {
    const output = execFileSync(process.execPath, [biome, 'lint', ...options, ...packages], {
      cwd: root,
      stdio: 'pipe',
    })
    return readDiagnostics(output.toString())
  } catch (error) {
    return readDiagnostics(String((error as { stdout?: Buffer }).stdout))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function readDiagnostics(output: string): { path: string; count: number }[] {
  const pattern = /noExcessiveLinesPerFunction,file=([^,]+),.*too many lines \((\d+)\)/g
  return [...output.matchAll(pattern)]
    .map(([, path = '', count]) => ({ path, count: Number(count) }))
    .filter(({ path }) => !/\/(dist|node_modules)\//.test(path))
}
