import { describe, expect, it } from 'vitest'
import { type Circumstances, planChromium, planNatsServer, type Step } from '#supervisor/obtain/plan.js'
import type { Release } from '#supervisor/obtain/release.js'

const asset = { url: 'https://example.test/nats-server-v2.11.9-linux-amd64.tar.gz', sha256: 'ab' }
const release: Release = { version: '2.11.9', source: 'a test', assets: { 'linux-x64': asset, 'win32-x64': asset } }

function at({ tools = [], ...rest }: Partial<Circumstances> & { tools?: string[] } = {}): Circumstances {
  return {
    platform: 'linux',
    arch: 'x64',
    isRoot: false,
    env: { PATH: '/usr/bin:relative:/opt/bin' },
    has: command => tools.includes(command),
    ...rest,
  }
}

const kinds = (steps: Step[]) => steps.map(step => step.kind)

describe('the plan for nats-server', () => {
  it('uses the path that the user named, and nothing else', () => {
    const steps = planNatsServer(at({ env: { NATS_SERVER_PATH: '/mine/nats-server' } }), '/data/bin', release)
    expect(steps).toEqual([{ kind: 'given', variable: 'NATS_SERVER_PATH', path: '/mine/nats-server' }])
  })

  it('looks on PATH and in sbin, then in the data folder, downloads, takes an older one, and unpacks the package', () => {
    const steps = planNatsServer(at({ tools: ['apt-get', 'dpkg-deb'] }), '/data/bin', release)
    expect(kinds(steps)).toEqual(['look', 'look', 'release', 'look', 'unpack', 'release'])
    expect(steps.map(step => 'preferred' in step)).toEqual([true, true, false, false, false, false])
    expect(steps.map(step => 'last' in step).lastIndexOf(true)).toBe(5)
    expect(steps[0]).toHaveProperty('paths', [
      '/usr/bin/nats-server',
      '/opt/bin/nats-server',
      '/usr/sbin/nats-server',
      '/usr/local/sbin/nats-server',
    ])
    expect(steps[1]).toHaveProperty('paths', ['/data/bin/nats-server'])
    expect(steps[2]).toHaveProperty('asset', asset)
    expect(steps[3]).toHaveProperty('paths', [...(steps[0] as Step & { kind: 'look' }).paths, '/data/bin/nats-server'])
  })

  it('refreshes the package lists only as root', () => {
    const tools = ['apt-get', 'dpkg-deb']
    const step = (isRoot: boolean) => planNatsServer(at({ tools, isRoot }), '/data/bin', release)[4]
    expect(step(true)).toHaveProperty('refresh', ['apt-get', 'update'])
    expect(step(false)).not.toHaveProperty('refresh')
  })

  it('never installs the package, which would start a service on port 4222', () => {
    for (const isRoot of [true, false])
      expect(kinds(planNatsServer(at({ isRoot, tools: ['apt-get', 'dpkg-deb'] }), '/data/bin', release))).not.toContain(
        'install',
      )
  })

  it('says why the package manager is of no use', () => {
    const closed = (circumstances: Circumstances) =>
      planNatsServer(circumstances, '/data/bin', release).findLast(step => step.kind === 'closed')
    expect(closed(at())).toHaveProperty('why', 'apt-get is not on this machine')
    expect(closed(at({ tools: ['apt-get'] }))).toHaveProperty('why', 'dpkg-deb is not on this machine')
    expect(closed(at({ platform: 'darwin' }))).toHaveProperty('why', 'Homebrew is not on this machine')
    expect(closed(at({ platform: 'darwin', tools: ['brew'], isRoot: true }))).toHaveProperty(
      'why',
      'Homebrew refuses to run as root',
    )
  })

  it('asks Homebrew on a Mac, and looks where Homebrew puts programs', () => {
    const steps = planNatsServer(at({ platform: 'darwin', tools: ['brew'] }), '/data/bin', release)
    expect(kinds(steps)).toEqual(['look', 'look', 'closed', 'look', 'install'])
    expect(steps[4]).toMatchObject({
      command: ['brew', 'install', 'nats-server'],
      paths: expect.arrayContaining(['/opt/homebrew/bin/nats-server']),
    })
  })

  it('offers no download where no sum is known', () => {
    const steps = planNatsServer(at({ arch: 'riscv64' }), '/data/bin', release)
    expect(steps[2]).toMatchObject({ kind: 'closed', why: 'no verified download is known for linux-riscv64' })
    expect(kinds(steps)).not.toContain('release')
  })

  it('speaks Windows on Windows', () => {
    const steps = planNatsServer(
      at({ platform: 'win32', env: { Path: 'C:\\Tools;D:\\bin' } }),
      'C:\\data\\bin',
      release,
    )
    expect(kinds(steps)).toEqual(['look', 'look', 'release', 'look', 'release'])
    expect(steps[0]).toHaveProperty('paths', ['C:\\Tools\\nats-server.exe', 'D:\\bin\\nats-server.exe'])
    expect(steps[1]).toHaveProperty('paths', ['C:\\data\\bin\\nats-server.exe'])
  })
})

describe('the plan for Chromium', () => {
  it('uses the path that the user named, and nothing else', () => {
    expect(planChromium(at({ env: { CHROMIUM_PATH: '/mine/chrome' } }))).toEqual([
      { kind: 'given', variable: 'CHROMIUM_PATH', path: '/mine/chrome' },
    ])
  })

  it('looks on PATH, then installs as root without asking questions', () => {
    const steps = planChromium(at({ isRoot: true, tools: ['apt-get'], env: { PATH: '/usr/bin' } }))
    expect(steps).toEqual([
      {
        kind: 'look',
        what: 'PATH',
        paths: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
      },
      {
        kind: 'install',
        what: 'apt-get',
        command: ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium'],
        refresh: ['apt-get', 'update'],
        paths: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
      },
    ])
  })

  it('installs nothing for anybody but root, and never downloads', () => {
    const steps = planChromium(at({ tools: ['apt-get'] }))
    expect(kinds(steps)).toEqual(['look', 'closed'])
    expect(steps[1]).toHaveProperty('why', 'only root may install packages')
  })

  it('knows the applications of a Mac', () => {
    const steps = planChromium(
      at({ platform: 'darwin', tools: ['brew'], env: { PATH: '/usr/bin', HOME: '/Users/jo' } }),
    )
    expect(kinds(steps)).toEqual(['look', 'look', 'install'])
    expect(steps[1]).toHaveProperty(
      'paths',
      expect.arrayContaining([
        '/Applications/Chromium.app/Contents/MacOS/Chromium',
        '/Users/jo/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      ]),
    )
  })
})
