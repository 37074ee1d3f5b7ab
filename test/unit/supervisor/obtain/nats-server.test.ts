import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '@slotstream/runtime'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Machine, thisMachine } from '#supervisor/obtain/machine/machine.js'
import { obtainNatsServer } from '#supervisor/obtain/nats-server.js'
import { ProgramMissingError } from '#supervisor/obtain/obtain.js'
import type { Release } from '#supervisor/obtain/release.js'
import { exists, machineDouble, writeProgram } from './machine-double.js'

const apt = { '/usr/bin/apt-get': '', '/usr/bin/dpkg-deb': '' }
const noRelease: Release = { version: '2.11.9', source: 'a test', assets: {} }

let dataDir: string
let told: string[]
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'obtain-'))
  told = []
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

const lacking = (version: string, path: string) =>
  `nats-server ${version} is used (${path}), which locks up when its disk is full, and in a cluster can't be given another number of streams: 2.10 or later is better. Name one in NATS_SERVER_PATH`
const log = (text: string) => told.push(text)
const place = () => join(dataDir, 'bin', 'nats-server')
const obtainOn = ({ machine }: ReturnType<typeof machineDouble>, release = noRelease) =>
  obtainNatsServer({ dataDir, log, machine, release })
const failureOn = (double: ReturnType<typeof machineDouble>, release = noRelease) =>
  obtainOn(double, release).then(
    path => expect.fail(`it found ${path}`),
    (error: Error) => error,
  )

/** What apt-get and dpkg-deb leave behind when they work. */
const unpacking = {
  'apt-get download nats-server': () => '',
  'sh -c dpkg-deb': async (options?: { cwd?: string }) => {
    const folder = join(options!.cwd!, 'usr/sbin')
    await mkdir(folder, { recursive: true })
    await writeProgram(join(folder, 'nats-server'))
    return ''
  },
}

describe('a nats-server that is there', () => {
  it('is taken from NATS_SERVER_PATH before any other', async () => {
    const versions = { '/mine/nats': 'nats-server: v2.10.4', '/usr/bin/nats-server': 'nats-server: v2.11.0' }
    const env = { PATH: '/usr/bin', NATS_SERVER_PATH: '/mine/nats' }
    expect(await obtainOn(machineDouble({ versions, env }))).toBe('/mine/nats')
  })

  it('is found in sbin folders that are not on PATH', async () => {
    const double = machineDouble({ versions: { '/usr/sbin/nats-server': 'nats-server: v2.9.10' } })
    expect(await obtainOn(double)).toBe('/usr/sbin/nats-server')
    expect(told).toEqual([lacking('2.9.10', '/usr/sbin/nats-server')])
  })

  it('is taken at once and without a word when it is 2.10 or later', async () => {
    const fetched: string[] = []
    const fetch = async (url: string) => {
      fetched.push(url)
      throw new Error('not expected')
    }
    const versions = { '/usr/bin/nats-server': 'nats-server: v2.9.25', '/usr/sbin/nats-server': 'nats-server: v2.10.0' }
    const release = { ...noRelease, assets: { 'linux-x64': { url: 'https://example.test/x.tar.gz', sha256: 'ab' } } }
    expect(await obtainOn(machineDouble({ versions, fetch }), release)).toBe('/usr/sbin/nats-server')
    expect([told, fetched]).toEqual([[], []])
  })

  it('is used when it is a 2.9 and the release cannot be had, which is not tried again for a day', async () => {
    let asked = 0
    const fetch = async () => {
      asked++
      throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND example.test') })
    }
    const asset = { url: 'https://example.test/nats-server-v2.11.9-linux-amd64.tar.gz', sha256: 'ab' }
    const release = { ...noRelease, assets: { 'linux-x64': asset } }
    const double = machineDouble({ fetch, versions: { '/usr/bin/nats-server': 'nats-server: v2.9.10' } })
    for (let start = 0; start < 3; start++) expect(await obtainOn(double, release)).toBe('/usr/bin/nats-server')
    expect(asked).toBe(1)
    expect(told).toEqual(Array(3).fill(lacking('2.9.10', '/usr/bin/nats-server')))
    const memory = join(dataDir, '.nats-server-download-failed')
    const yesterday = new Date(Date.now() - 25 * 3_600_000)
    await utimes(memory, yesterday, yesterday)
    await obtainOn(double, release)
    expect(asked).toBe(2)
    // Without any other way it is tried all the same, once a start.
    const failure = await failureOn(machineDouble({ fetch }), release)
    expect(asked).toBe(3)
    expect(failure.message).toMatch(/release 2\.11\.9: the download failed: .*remembered for a day/)
    expect(failure.message).toContain('release 2.11.9 again: the download failed: getaddrinfo ENOTFOUND example.test')
  })

  it('is passed over when it is too old, for one further down', async () => {
    const versions = { '/usr/bin/nats-server': 'nats-server: v2.8.4', '/usr/sbin/nats-server': 'nats-server: v2.9.0' }
    expect(await obtainOn(machineDouble({ versions }))).toBe('/usr/sbin/nats-server')
  })

  it('counts versions as numbers, not as text', async () => {
    const versions = { '/usr/bin/nats-server': 'nats-server: v2.10.0', '/bin/nats-server': 'nats-server: v3.0.1-RC.1' }
    expect(await obtainOn(machineDouble({ versions }))).toBe('/usr/bin/nats-server')
    expect(await obtainOn(machineDouble({ versions, env: { PATH: '/bin' } }))).toBe('/bin/nats-server')
  })

  it('is taken from the data folder when PATH has none', async () => {
    const double = machineDouble({ versions: { [place()]: 'nats-server: v2.11.9' } })
    expect(await obtainOn(double)).toBe(place())
  })

  it('is found by running what PATH names, past a program that is none', async () => {
    const real = thisMachine()
    await writeProgram(join(dataDir, 'nats-server'))
    const further = join(dataDir, 'further')
    await mkdir(further)
    await writeFile(join(further, 'nats-server'), '#!/bin/sh\necho "nats-server: v2.10.7"\n', { mode: 0o755 })
    const machine: Machine = { ...real, env: { PATH: `${dataDir}:${further}:${real.env.PATH}` } }
    expect(await obtainNatsServer({ dataDir, log, machine })).toBe(join(further, 'nats-server'))
  })
})

describe('NATS_SERVER_PATH', () => {
  const env = { PATH: '/usr/bin', NATS_SERVER_PATH: '/mine/nats' }

  it('is an error when nothing is there, even if PATH has one', async () => {
    const failure = await failureOn(
      machineDouble({ env, versions: { '/usr/bin/nats-server': 'nats-server: v2.11.0' } }),
    )
    expect(failure).toBeInstanceOf(ConfigurationError)
    expect(failure.message).toBe(
      'NATS_SERVER_PATH is "/mine/nats": no program is there. Correct it, or unset it to search',
    )
  })

  it('is an error when the program is too old', async () => {
    const failure = await failureOn(machineDouble({ env, versions: { '/mine/nats': 'nats-server: v2.1.9' } }))
    expect(failure.message).toContain('version 2.1.9 is older than 2.9')
  })
})

describe('a nats-server in the package manager', () => {
  it('is taken out of the package into the data folder', async () => {
    const double = machineDouble({ versions: { ...apt, '*': 'nats-server: v2.9.10' }, on: unpacking })
    expect(await obtainOn(double)).toBe(place())
    expect(await exists(place())).toBe(true)
    expect(await readdir(join(dataDir, 'bin'))).toEqual(['nats-server'])
    expect(double.ran[0]?.options?.env).toEqual({ DEBIAN_FRONTEND: 'noninteractive' })
    expect(told).toEqual([
      'nats-server is missing: taking it out of the package nats-server with apt-get',
      lacking('2.9.10', place()),
    ])
  })

  it('is asked for again by root after refreshing the lists', async () => {
    let refreshed = false
    const on = {
      ...unpacking,
      'apt-get update': () => {
        refreshed = true
        return ''
      },
      'apt-get download nats-server': () => {
        if (!refreshed) throw new Error('E: Unable to locate package nats-server')
        return ''
      },
    }
    const double = machineDouble({ isRoot: true, versions: { ...apt, '*': 'nats-server: v2.9.10' }, on })
    expect(await obtainOn(double)).toBe(place())
    expect(double.lines().slice(0, 3)).toEqual([
      'apt-get download nats-server',
      'apt-get update',
      'apt-get download nats-server',
    ])
  })

  it('is not put in place when it is too old', async () => {
    const failure = await failureOn(machineDouble({ versions: { ...apt, '*': 'nats-server: v2.4.0' }, on: unpacking }))
    expect(failure.message).toContain('  - apt-get: version 2.4.0 is older than 2.9')
    expect(await readdir(join(dataDir, 'bin'))).toEqual([])
  })

  it('is installed by Homebrew on a Mac', async () => {
    const versions: Record<string, string> = { '/opt/homebrew/bin/brew': '' }
    const on = {
      'brew install nats-server': () => {
        versions['/opt/homebrew/bin/nats-server'] = 'nats-server: v2.12.1'
        return ''
      },
    }
    const double = machineDouble({ platform: 'darwin', env: { PATH: '/opt/homebrew/bin' }, versions, on })
    expect(await obtainOn(double)).toBe('/opt/homebrew/bin/nats-server')
  })
})

describe('when nothing works', () => {
  it('one error names every way, why it failed, and what to type', async () => {
    const versions = { ...apt, '/usr/bin/nats-server': 'nats-server: v2.2.0', [place()]: 'Segmentation fault' }
    const on = {
      'apt-get download': () => {
        throw new Error('"apt-get download nats-server" failed: E: Unable to locate package nats-server')
      },
    }
    const asset = { url: 'https://example.test/nats-server-v2.11.9-linux-amd64.tar.gz', sha256: 'ab' }
    const failure = await failureOn(machineDouble({ versions, on }), { ...noRelease, assets: { 'linux-x64': asset } })
    expect(failure).toBeInstanceOf(ProgramMissingError)
    expect(failure.message.split('\n').filter(line => !line.includes('2.11.9 again'))).toEqual([
      'nats-server 2.9 or later was not found and could not be obtained:',
      '  - PATH, /usr/sbin, /usr/local/sbin: /usr/bin/nats-server: version 2.2.0 is older than 2.10',
      `  - the data folder: ${place()}: it printed no version but "Segmentation fault"`,
      '  - release 2.11.9: the download failed: getaddrinfo ENOTFOUND example.test',
      `  - an older one: /usr/bin/nats-server: version 2.2.0 is older than 2.9; ${place()}: it printed no version but "Segmentation fault"`,
      '  - apt-get: "apt-get download nats-server" failed: E: Unable to locate package nats-server',
      'Type this, then start again:',
      '  sudo apt-get update && sudo apt-get install -y --no-install-recommends nats-server',
      'Or name the program in NATS_SERVER_PATH, or a server that is running in NATS_URL.',
    ])
  })

  it('the command to type stops the service that the package starts', async () => {
    const versions = { ...apt, '/usr/bin/systemctl': '' }
    const failure = await failureOn(machineDouble({ versions }))
    expect(failure.message).toContain('nats-server && sudo systemctl disable --now nats-server\n')
  })

  it.each([
    ['darwin', ['/usr/bin/brew'], 'brew install nats-server'],
    ['win32', [], 'winget install NATSAuthors.NATSServer'],
    ['linux', [], 'go install github.com/nats-io/nats-server/v2@v2.11.9'],
  ] as const)('the command to type is one for %s', async (platform, there, command) => {
    const versions = Object.fromEntries(there.map(path => [path, '']))
    const failure = await failureOn(machineDouble({ platform, versions }))
    expect(failure.message).toContain(`\n  ${command}\n`)
  })

  it('the command to type fetches the release where there is no package manager', async () => {
    const url = 'https://example.test/nats-server-v2.11.9-linux-amd64.tar.gz'
    const failure = await failureOn(machineDouble(), { ...noRelease, assets: { 'linux-x64': { url, sha256: 'ab' } } })
    const bin = `'${join(dataDir, 'bin')}'`
    expect(failure.message).toContain(
      `  mkdir -p ${bin} && curl -fL ${url} | tar -xz -C ${bin} --strip-components=1 nats-server-v2.11.9-linux-amd64/nats-server\n`,
    )
  })
})
