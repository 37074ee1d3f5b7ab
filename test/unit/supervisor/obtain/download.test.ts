import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { type Machine, thisMachine } from '#supervisor/obtain/machine/machine.js'
import { obtainNatsServer } from '#supervisor/obtain/nats-server.js'
import type { Release } from '#supervisor/obtain/release.js'

const name = 'nats-server-v2.11.9-linux-amd64'
let folder: string
let archive: Buffer
let server: Server
let dataDir: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obtain-release-'))
  await mkdir(join(folder, name))
  await writeFile(join(folder, name, 'nats-server'), '#!/bin/sh\necho nats-server: v2.11.9\n', { mode: 0o755 })
  execFileSync('tar', ['-czf', `${name}.tar.gz`, name], { cwd: folder })
  archive = await readFile(join(folder, `${name}.tar.gz`))
  server = createServer((request, response) => {
    if (request.url === '/moved/') return response.writeHead(302, { location: `/${name}.tar.gz` }).end()
    if (request.url !== `/${name}.tar.gz`) return response.writeHead(404).end()
    response.end(archive)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await new Promise(resolve => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'obtain-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

/** This machine, but with no nats-server and no package manager. */
function bareMachine(): { machine: Machine; ran: string[] } {
  const real = thisMachine()
  const ran: string[] = []
  const machine: Machine = {
    ...real,
    platform: 'linux',
    arch: 'x64',
    env: {},
    isExecutable: async path => path.startsWith(dataDir) && real.isExecutable(path),
    run: (command, args, options) => {
      ran.push(command)
      return real.run(command, args, options)
    },
  }
  return { machine, ran }
}

function release(sha256: string, path = `${name}.tar.gz`): Release {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`
  return { version: '2.11.9', source: 'a test', assets: { 'linux-x64': { url, sha256 } } }
}

const sum = () => createHash('sha256').update(archive).digest('hex')
const quiet = () => undefined

it('downloads, verifies, extracts and keeps the program in the data folder', async () => {
  const { machine } = bareMachine()
  const place = join(dataDir, 'bin', 'nats-server')
  expect(await obtainNatsServer({ dataDir, log: quiet, machine, release: release(sum()) })).toBe(place)
  expect(execFileSync(place, ['--version'], { encoding: 'utf8' })).toBe('nats-server: v2.11.9\n')
  expect(await readdir(join(dataDir, 'bin'))).toEqual(['nats-server'])
})

it('finds it there the next time, without the network', async () => {
  const { machine } = bareMachine()
  const first = await obtainNatsServer({ dataDir, log: quiet, machine, release: release(sum()) })
  const offline = { ...machine, fetch: () => Promise.reject(new Error('no network')) }
  expect(await obtainNatsServer({ dataDir, log: quiet, machine: offline, release: release(sum()) })).toBe(first)
})

it('refuses an archive with another hash, never opens it and leaves nothing behind', async () => {
  const { machine, ran } = bareMachine()
  const wanted = '0'.repeat(64)
  await expect(obtainNatsServer({ dataDir, log: quiet, machine, release: release(wanted) })).rejects.toThrow(
    `has SHA-256 ${sum()} instead of ${wanted}: rejected and deleted`,
  )
  expect(ran).toEqual([])
  expect(await readdir(join(dataDir, 'bin'))).toEqual([])
})

it('says what the server answered when it was not the file', async () => {
  const { machine } = bareMachine()
  await expect(
    obtainNatsServer({ dataDir, log: quiet, machine, release: release(sum(), 'gone.tar.gz') }),
  ).rejects.toThrow(/gone\.tar\.gz answered 404 Not Found/)
})

it('is taken before a program of the data folder or of PATH that is older than 2.10', async () => {
  const { machine } = bareMachine()
  const place = join(dataDir, 'bin', 'nats-server')
  const onPath = join(dataDir, 'path')
  for (const [folder, version] of [
    [join(dataDir, 'bin'), '2.9.10'],
    [onPath, '2.9.25'],
  ] as const) {
    await mkdir(folder)
    await writeFile(join(folder, 'nats-server'), `#!/bin/sh\necho nats-server: v${version}\n`, { mode: 0o755 })
  }
  const with29 = { ...machine, env: { PATH: onPath } }
  expect(await obtainNatsServer({ dataDir, log: quiet, machine: with29, release: release(sum()) })).toBe(place)
  expect(execFileSync(place, ['--version'], { encoding: 'utf8' })).toBe('nats-server: v2.11.9\n')
})

it('is given up when the server does not answer at once', async () => {
  const silent = createServer(() => {})
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const { machine } = bareMachine()
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/${name}.tar.gz`
  const slow: Release = { version: '2.11.9', source: 'a test', assets: { 'linux-x64': { url, sha256: sum() } } }
  const failed = obtainNatsServer({ dataDir, log: quiet, machine, release: slow })
  await expect(failed).rejects.toThrow(/release 2\.11\.9: 127\.0\.0\.1:\d+ did not answer within 3 s/)
  silent.closeAllConnections()
  silent.close()
})

it('replaces a program in the data folder that has become too old', async () => {
  const { machine } = bareMachine()
  await mkdir(join(dataDir, 'bin'))
  const place = join(dataDir, 'bin', 'nats-server')
  await writeFile(place, '#!/bin/sh\necho nats-server: v2.2.0\n', { mode: 0o755 })
  await obtainNatsServer({ dataDir, log: quiet, machine, release: release(sum()) })
  expect(execFileSync(place, ['--version'], { encoding: 'utf8' })).toBe('nats-server: v2.11.9\n')
})
