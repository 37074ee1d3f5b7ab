import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { neededSecret, secretSetting } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const RUNTIME = new URL('../../../../runtime/dist/index.js', import.meta.url)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotstream-secrets-'))
  writeFileSync(join(folder, 'token'), ' from-a-file \n')
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What a program finds that is started with a pipe; it starts another, whose finding is the second line. */
async function startedWith(piped: object, env: NodeJS.ProcessEnv): Promise<string[]> {
  const script = `
    import { secretSetting } from ${JSON.stringify(RUNTIME.href)}
    import { execFileSync } from 'node:child_process'
    console.log([secretSetting('ADMIN_TOKEN'), secretSetting('NATS_PASSWORD'), secretSetting('ADMIN_TOKEN')].join())
    console.log(execFileSync('env', { encoding: 'utf8' }).includes('SECRETS_FD'))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH, SECRETS_FD: '3', ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
  let out = ''
  child.stdout?.on('data', chunk => {
    out += chunk
  })
  ;(child.stdio[3] as Writable).end(JSON.stringify(piped))
  await once(child, 'close')
  return out.trim().split('\n')
}

describe('a secret', () => {
  it('comes from the pipe, else from a file, else from the environment', async () => {
    const file = join(folder, 'token')
    const env = { ADMIN_TOKEN: 'from-the-environment', ADMIN_TOKEN_FILE: file }
    expect(secretSetting('ADMIN_TOKEN', env)).toBe('from-a-file')
    expect(secretSetting('ADMIN_TOKEN', { ADMIN_TOKEN: 'from-the-environment' })).toBe('from-the-environment')
    expect(secretSetting('ADMIN_TOKEN', { ADMIN_TOKEN: '' })).toBe('')
    const piped = { ADMIN_TOKEN: 'from-the-pipe' }
    // More than once, and not by the programs that it starts.
    expect(await startedWith(piped, { ...env, NATS_PASSWORD: 'open' })).toEqual([
      'from-the-pipe,open,from-the-pipe',
      'false',
    ])
  })

  it('that must be set says how, and a file that is not there says so', () => {
    expect(() => neededSecret('ADMIN_TOKEN', 'sites are changed with it', {})).toThrow(
      'ADMIN_TOKEN must be set, or ADMIN_TOKEN_FILE with the path of a file: sites are changed with it',
    )
    expect(() => secretSetting('ADMIN_TOKEN', { ADMIN_TOKEN_FILE: join(folder, 'none') })).toThrow(
      /ADMIN_TOKEN_FILE is ".*none", which can't be read: ENOENT/,
    )
  })
})
