import { posix, win32 } from 'node:path'
import { textSetting } from '@slotstream/runtime'
import { candidates, executableName } from './machine/candidates.js'
import type { Machine } from './machine/machine.js'
import type { Release, ReleaseAsset } from './release.js'

/** One way to come by a program. */
export type Step =
  /** The path that the user named: used, or an error. */
  | { kind: 'given'; variable: string; path: string }
  /** Take the first usable of these files; with `preferred`, of those of a version that is as good as a newer one. */
  | { kind: 'look'; what: string; paths: readonly string[]; preferred?: boolean }
  /** Install with a package manager, then look. `refresh` brings its lists up to date, for a second try. */
  | { kind: 'install'; what: string; command: Command; refresh?: Command; paths: readonly string[] }
  /** Take `member` out of a Debian package into the data folder, installing nothing. */
  | { kind: 'unpack'; what: string; package: string; member: string; refresh?: Command }
  /** Download a pinned release into the data folder; as the last way, also when that failed in the last day. */
  | { kind: 'release'; what: string; asset: ReleaseAsset; last?: boolean }
  /** A way that is closed here, kept so that the error can say why. */
  | { kind: 'closed'; what: string; why: string }

export type Command = readonly [program: string, ...args: string[]]

/** Circumstances that the plan depends on; `has` says which of the package managers' commands are there. */
export interface Circumstances extends Pick<Machine, 'platform' | 'arch' | 'isRoot' | 'env'> {
  has(command: string): boolean
}

const aptUpdate: Command = ['apt-get', 'update']
const brewFolders = ['/opt/homebrew/bin', '/usr/local/bin']
// Debian keeps servers in sbin, which is on root's PATH and often on no other user's.
const serverFolders = ['/usr/sbin', '/usr/local/sbin']

/** Returns the ways to nats-server, in order. `binFolder` is the data folder's. */
export function planNatsServer(at: Circumstances, binFolder: string, release: Release): Step[] {
  const path = textSetting('NATS_SERVER_PATH', at.env)
  if (path) return [{ kind: 'given', variable: 'NATS_SERVER_PATH', path }]
  const { join } = at.platform === 'win32' ? win32 : posix
  const onPath = candidates(at, ['nats-server'], at.platform === 'win32' ? [] : serverFolders)
  const obtained = [join(binFolder, executableName(at.platform, 'nats-server'))]
  return [
    {
      kind: 'look',
      what: at.platform === 'win32' ? 'PATH' : `PATH, ${serverFolders.join(', ')}`,
      paths: onPath,
      preferred: true,
    },
    { kind: 'look', what: 'the data folder', paths: obtained, preferred: true },
    releaseStep(at, release),
    { kind: 'look', what: 'an older one', paths: [...onPath, ...obtained] },
    ...natsServerPackage(at),
    ...lastly(releaseStep(at, release)),
  ]
}

function lastly(step: Step): Step[] {
  return step.kind === 'release' ? [{ ...step, what: `${step.what} again`, last: true }] : []
}

/** Returns the way to the package manager's nats-server. */
export function planPackagedNatsServer(at: Circumstances, binFolder: string): Step[] {
  const { join } = at.platform === 'win32' ? win32 : posix
  const obtained = [join(binFolder, executableName(at.platform, 'nats-server'))]
  return [{ kind: 'look', what: 'the tools', paths: obtained }, ...natsServerPackage(at)]
}

/** Returns the ways to Chromium or Chrome, in order. */
export function planChromium(at: Circumstances): Step[] {
  const path = textSetting('CHROMIUM_PATH', at.env)
  if (path) return [{ kind: 'given', variable: 'CHROMIUM_PATH', path }]
  const onPath = candidates(at, ['chromium', 'chromium-browser', 'google-chrome'])
  const apps = chromiumApps(at)
  return [
    { kind: 'look', what: 'PATH', paths: onPath },
    ...(apps.length > 0 ? [{ kind: 'look', what: 'installed applications', paths: apps } as const] : []),
    ...chromiumPackage(at, onPath, apps),
  ]
}

// Installing Debian's package would also enable and start a service of its own on port 4222, and add a system user.
// Taking the program out of the package leaves the system as it was, and needs root for nothing but newer lists.
function natsServerPackage(at: Circumstances): Step[] {
  if (at.platform === 'linux') {
    const missing = ['apt-get', 'dpkg-deb'].find(command => !at.has(command))
    if (missing) return [{ kind: 'closed', what: 'apt-get', why: `${missing} is not on this machine` }]
    const step = { kind: 'unpack', what: 'apt-get', package: 'nats-server', member: 'usr/sbin/nats-server' } as const
    return [at.isRoot ? { ...step, refresh: aptUpdate } : step]
  }
  if (at.platform === 'darwin')
    return [brewStep(at, ['brew', 'install', 'nats-server'], candidates(at, ['nats-server'], brewFolders))]
  return []
}

function chromiumPackage(at: Circumstances, onPath: readonly string[], apps: readonly string[]): Step[] {
  if (at.platform === 'linux') {
    if (!at.has('apt-get')) return [{ kind: 'closed', what: 'apt-get', why: 'apt-get is not on this machine' }]
    if (!at.isRoot) return [{ kind: 'closed', what: 'apt-get', why: 'only root may install packages' }]
    const command: Command = ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium']
    return [{ kind: 'install', what: 'apt-get', command, refresh: aptUpdate, paths: onPath }]
  }
  if (at.platform === 'darwin') return [brewStep(at, ['brew', 'install', '--cask', 'google-chrome'], apps)]
  return []
}

function brewStep(at: Circumstances, command: Command, paths: readonly string[]): Step {
  if (!at.has('brew')) return { kind: 'closed', what: 'brew', why: 'Homebrew is not on this machine' }
  if (at.isRoot) return { kind: 'closed', what: 'brew', why: 'Homebrew refuses to run as root' }
  return { kind: 'install', what: 'brew', command, paths }
}

function releaseStep({ platform, arch }: Circumstances, release: Release): Step {
  const what = `release ${release.version}`
  const asset = release.assets[`${platform}-${arch}`]
  if (!asset) return { kind: 'closed', what, why: `no verified download is known for ${platform}-${arch}` }
  return { kind: 'release', what, asset }
}

function chromiumApps({ platform, env }: Circumstances): string[] {
  if (platform === 'win32')
    return [env.ProgramFiles, env['ProgramFiles(x86)'], env.LOCALAPPDATA]
      .filter(folder => folder !== undefined)
      .map(folder => win32.join(folder, 'Google\\Chrome\\Application\\chrome.exe'))
  if (platform !== 'darwin') return []
  const folders = ['/Applications', ...(env.HOME ? [posix.join(env.HOME, 'Applications')] : [])]
  return folders.flatMap(folder =>
    ['Chromium', 'Google Chrome'].map(app => `${folder}/${app}.app/Contents/MacOS/${app}`),
  )
}
