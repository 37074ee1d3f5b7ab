import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path/posix'
import { fileURLToPath } from 'node:url'

/** One import of a file of ours. */
export interface Import {
  /** As it is written. */
  text: string
  /** The file or package of ours that it names; else the package, or module of Node, from elsewhere. */
  target: string
  isOurs: boolean
}

/** A TypeScript file of a package. */
export interface SourceFile {
  path: string
  /** As it is written. */
  text: string
  imports: Import[]
  /** Its text without comments. */
  code: string
  /** Whether it reads the environment of the process, by itself or by a setting that it gives no environment to. */
  readsEnvironment: boolean
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PACKAGES = packagesOf(ROOT)
const ENVIRONMENT =
  /\bprocess\.env\b|\b(number|text|secret)Setting\('\w+'\)|\bneeded(Setting|Secret)\('\w+',[^,]*\)|\bisSet\('\w+'\)/
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g

/** Lists the packages of a checkout, by their folders. */
export function packagesOf(root: string): string[] {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).workspaces
}

/**
 * Reads all TypeScript sources of all packages.
 *
 * @param root folder of the checkout. Default: this one
 */
export function sourceFiles(root = ROOT): SourceFile[] {
  const paths = packagesOf(root).flatMap(name =>
    readdirSync(join(root, name), { recursive: true, encoding: 'utf8' })
      .map(path => `${name}/${path.replaceAll('\\', '/')}`)
      .filter(path => /\.tsx?$/.test(path) && !/(^|\/)(dist|node_modules)\/|\.d\.ts$/.test(path)),
  )
  const known = new Set(paths)
  return paths.map(path => {
    const text = readFileSync(join(root, path), 'utf8')
    const code = withoutComments(text)
    return { path, text, imports: importsOf(path, text, known), code, readsEnvironment: readsEnvironment(text) }
  })
}

/** Finds the imports in a source text. */
export function importsOf(path: string, source: string, known: ReadonlySet<string>): Import[] {
  // What is in a template is code that is generated, not imported.
  return [...source.replace(/`[^`]*`/g, '``').matchAll(IMPORT)].map(([, text = '']) => {
    if (text.startsWith('.')) {
      const file = normalize(join(dirname(path), text))
      return { text, target: fileOf(file, known) ?? file, isOurs: true }
    }
    const ours = insideOf(text, known) ?? packageOf(text)
    return { text, target: ours ?? /^(@[^/]+\/)?[^/]+/.exec(text)?.[0] ?? text, isOurs: ours !== undefined }
  })
}

/** Whether a source text reads the environment of the process, outside of its comments. */
export function readsEnvironment(source: string): boolean {
  return ENVIRONMENT.test(withoutComments(source))
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
}

/** Groups of files that import one another in a circle, each sorted (Tarjan's strongly connected components). */
export function circlesOf(files: readonly SourceFile[]): string[][] {
  const imports = new Map(files.map(({ path, imports }) => [path, imports.map(({ target }) => target)]))
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const circles: string[][] = []
  for (const { path } of files) if (!order.has(path)) visit(path)
  return circles

  function visit(path: string): void {
    order.set(path, order.size)
    lowest.set(path, order.get(path)!)
    stack.push(path)
    for (const target of imports.get(path) ?? []) {
      if (!imports.has(target)) continue
      if (!order.has(target)) visit(target)
      if (stack.includes(target)) lowest.set(path, Math.min(lowest.get(path)!, lowest.get(target)!))
    }
    if (lowest.get(path) !== order.get(path)) return
    const circle = stack.splice(stack.indexOf(path))
    if (circle.length > 1) circles.push(circle.toSorted())
  }
}

/** The files that a file imports, and those that they import, with itself. */
export function reachableFrom(files: readonly SourceFile[], start: string): Set<string> {
  const imports = new Map(files.map(({ path, imports }) => [path, imports.map(({ target }) => target)]))
  const reached = new Set([start])
  for (const path of reached) for (const target of imports.get(path) ?? []) reached.add(target)
  return reached
}

function fileOf(path: string, known: ReadonlySet<string>): string | undefined {
  const stem = path.replace(/\.jsx?$/, '')
  return [`${stem}.ts`, `${stem}.tsx`, `${stem}/index.ts`].find(file => known.has(file))
}

/** The file that an import of the `imports` of test/package.json names. */
function insideOf(text: string, known: ReadonlySet<string>): string | undefined {
  return text.startsWith('#') ? fileOf(text.slice(1), known) : undefined
}

function packageOf(text: string): string | undefined {
  const name = /^@slotstream\/([^/]+)/.exec(text)?.[1] ?? (/^slotstream(\/|$)/.test(text) ? 'sdk' : undefined)
  return name && PACKAGES.includes(name) ? name : undefined
}
