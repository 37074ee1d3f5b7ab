import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const example = join(root, 'examples', 'next')
// Below node_modules, so that `slotstream` resolves as it does where it is installed.
const folder = join(root, 'node_modules', '.cache', 'next-example')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/**
 * What the example uses of Next.js, which is too large to be installed for it: see
 * https://nextjs.org/docs/app/api-reference.
 */
const NEXT = `
declare module 'next/headers' {
  export function headers(): Promise<Pick<Headers, 'get' | 'has' | 'entries'>>
}
declare module 'next/server' {
  export class NextRequest extends Request {}
  export class NextResponse extends Response {
    static next(init?: { request?: { headers?: Headers } }): NextResponse
  }
}
declare const process: { env: Record<string, string | undefined> }
`

it('the Next.js example fits the SDK', async () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(example, folder, { recursive: true })
  writeFileSync(join(folder, 'next.d.ts'), NEXT)
  const tsconfig = JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8'))
  Object.assign(tsconfig.compilerOptions, { types: [], customConditions: ['@slotstream/source'] })
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...tsconfig, exclude: [] }))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const said = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(error => error)
  expect(said.stdout).toBe('')
}, 60_000)
