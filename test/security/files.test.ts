import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PartName, type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const PARTS: PartName[] = ['collector', 'aggregator', 'warehouse', 'clickhouse', 'nats-server']
const isLinux = process.platform === 'linux'

/** What an operator's shell may hold; parts are given what they need, by a pipe. */
const SHELL = {
  AWS_SECRET_ACCESS_KEY: 'shell-aws-secret',
  SOME_API_TOKEN: 'shell-api-token',
  PGPASSWORD: 'shell-pg-password',
  DATABASE_URL: 'postgres://shop:shell-url-password@db/shop',
}

let system: System
/** What the first start printed, and the second. */
let printed: [string, string]

/** A data folder as it was made before: open to others. */
function openFolder(): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'slotstream-test-'))
  for (const folder of ['logs', 'run', 'clickhouse', 'nats', 'mine']) mkdirSync(join(dataDir, folder), { mode: 0o755 })
  for (const file of ['clickhouse-password', 'logs/collector.log', 'run/collector.pid'])
    writeFileSync(join(dataDir, file), file === 'clickhouse-password' ? 'kept-from-before\n' : '', { mode: 0o644 })
  for (const path of ['', 'logs', 'run', 'clickhouse', 'nats', 'mine']) chmodSync(join(dataDir, path), 0o755)
  return dataDir
}

beforeAll(async () => {
  const dataDir = openFolder()
  system = await startSystem({ ...SHELL, ADMIN_TOKEN: '' }, dataDir)
  system.supervisor.kill('SIGTERM')
  await once(system.supervisor, 'close')
  const first = system.output()
  system = await startSystem({ ...SHELL, ADMIN_TOKEN: '' }, dataDir)
  printed = [first, system.output()]
  await until(
    'an event is in the table',
    async () => {
      await fetch(`${system.collectorUrl}/v1/track`, {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa('demo:')}` },
        body: JSON.stringify({ anonymousId: 'v', event: 'Seen', messageId: 'm-1' }),
      })
      return system.query('SELECT 1 FROM slotstream.events LIMIT 1')
    },
    rows => rows.length > 0,
  )
})
afterAll(() => system?.stop())

/** Everything below a folder, itself included: what it is and its mode. */
function modes(path: string, root = path): { path: string; isFolder: boolean; mode: number }[] {
  const entry = lstatSync(path)
  const own = { path: relative(root, path), isFolder: entry.isDirectory(), mode: entry.mode & 0o777 }
  if (!entry.isDirectory()) return entry.isSymbolicLink() ? [] : [own]
  return [own, ...readdirSync(path).flatMap(name => modes(join(path, name), root))]
}

/** Values that open something, and where they are kept. */
function secrets(): Record<string, string> {
  const text = (name: string) => readFileSync(join(system.dataDir, name), 'utf8').trim()
  const { passwords } = JSON.parse(text('nats-users.json')) as { passwords: Record<string, string> }
  return {
    'admin-token': text('admin-token'),
    'clickhouse-password': text('clickhouse-password'),
    ...Object.fromEntries(Object.entries(passwords).map(([role, password]) => [`nats-users.json, ${role}`, password])),
    ...Object.fromEntries(Object.entries(SHELL).map(([name, value]) => [name, /shell-[a-z-]+/.exec(value)![0]])),
  }
}

describe('the data folder', () => {
  it('is closed to other users, whatever it was before: it, its folders, and every file in them', () => {
    const isRoot = process.getuid?.() === 0
    // What isn't ours is left alone, and can't be got to.
    const found = modes(system.dataDir).filter(({ path }) => path !== 'mine')
    expect(lstatSync(join(system.dataDir, 'mine')).mode & 0o777).toBe(0o755)
    // Where parts run as users of their own, those go through it, and to programs that were fetched.
    const passable = isRoot ? ['', 'bin'] : []
    expect(found.filter(({ path }) => passable.includes(path)).map(({ mode }) => mode.toString(8))).toEqual(
      passable.map(() => '711'),
    )
    const open = found.filter(({ path, mode }) => (mode & 0o077) !== 0 && !passable.includes(path))
    expect(open.map(({ path, mode }) => `${mode.toString(8)} ${path}`)).toEqual([])
    expect(found.length).toBeGreaterThan(50)
    expect(system.clickhousePassword()).toBe('kept-from-before')
  })

  it('lets nobody else read a secret, by trying as another user', ({ skip }) => {
    if (process.getuid?.() !== 0) return skip('only root can try as another user')
    const cat = (file: string) =>
      execFileSync('cat', [join(system.dataDir, file)], { uid: 65_000, gid: 65_000, stdio: 'pipe' })
    const FILES = ['admin-token', 'clickhouse-password', 'nats-users.json', 'nats-server.conf', 'logs/collector.log']
    for (const file of FILES) expect(() => cat(file), file).toThrow('Permission denied')
    expect(() => execFileSync('ls', [system.dataDir], { uid: 65_000, gid: 65_000, stdio: 'pipe' })).toThrow('denied')
  })
})

describe('secrets', () => {
  it('are in the environment and the command line of no part', ({ skip }) => {
    if (!isLinux) return skip('there is no /proc to look at')
    return check()

    async function check() {
      for (const part of [...PARTS, 'supervisor' as const]) {
        const pid = part === 'supervisor' ? system.supervisor.pid : await system.pidOf(part)
        // The supervisor's own environment is the shell's, which set it.
        const files = part === 'supervisor' ? ['cmdline'] : ['environ', 'cmdline']
        for (const file of files) {
          const text = readFileSync(`/proc/${pid}/${file}`, 'utf8')
          expect(text.length).toBeGreaterThan(10)
          for (const [name, secret] of Object.entries(secrets()))
            expect(text.includes(secret), `${name} in ${file} of ${part}`).toBe(false)
        }
      }
    }
  })

  it('are not set there under another value either: the engine and nats-server see what they need', async ({
    skip,
  }) => {
    if (!isLinux) return skip('there is no /proc to look at')
    const names = async (part: PartName) =>
      readFileSync(`/proc/${await system.pidOf(part)}/environ`, 'utf8')
        .split('\0')
        .filter(Boolean)
        .map(pair => pair.slice(0, pair.indexOf('=')))
    const PLAIN = /^(PATH|HOME|LANG|LC_.*|TZ|TMPDIR|TEMP|SYSTEMROOT)$/
    expect((await names('nats-server')).filter(name => !PLAIN.test(name))).toEqual([])
    const OWN =
      /^(NODE_.*|LOG_LEVEL|DATA_DIR|CLICKHOUSE_(PORT|DATA_DIR|URL|USER|HOST)|UV_THREADPOOL_SIZE|SECRETS_FD|ALLOWED_HOSTS)$/
    expect((await names('clickhouse')).filter(name => !PLAIN.test(name) && !OWN.test(name))).toEqual([])
    for (const part of PARTS)
      expect((await names(part)).filter(name => /TOKEN|PASSWORD|SECRET/.test(name) && name !== 'SECRETS_FD')).toEqual(
        [],
      )
  })

  it('are in no log', () => {
    for (const name of readdirSync(join(system.dataDir, 'logs'))) {
      const text = readFileSync(join(system.dataDir, 'logs', name), 'utf8')
      for (const [secret, value] of Object.entries(secrets()))
        expect(text.includes(value), `${secret} in ${name}`).toBe(false)
    }
  })

  it('the admin token is printed when it is made, and later only where it is', () => {
    const token = secrets()['admin-token']!
    expect(printed[0]).toContain(token)
    expect(printed[1]).not.toContain(token)
    expect(printed[1]).toContain(`Admin token   in ${join(system.dataDir, 'admin-token')}`)
  })
})
