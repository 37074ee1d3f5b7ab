import { basename } from 'node:path'
import type { Circumstances } from './plan.js'
import type { Release } from './release.js'

/** Returns the exact command for this platform that brings nats-server, and the ways round it. */
export function natsServerAdvice(at: Circumstances, binFolder: string, release: Release): string {
  return [
    'Type this, then start again:',
    `  ${natsServerCommand(at, binFolder, release)}`,
    'Or name the program in NATS_SERVER_PATH, or a server that is running in NATS_URL.',
  ].join('\n')
}

/** Returns the exact command for this platform that brings Chromium or Chrome, and the way round it. */
export function chromiumAdvice(at: Circumstances): string {
  return [
    'Type this, then start again:',
    `  ${chromiumCommand(at)}`,
    'Or name a Chromium or Chrome in CHROMIUM_PATH.',
  ].join('\n')
}

function natsServerCommand(at: Circumstances, binFolder: string, release: Release): string {
  if (at.platform === 'darwin' && at.has('brew')) return 'brew install nats-server'
  if (at.platform === 'win32') return 'winget install NATSAuthors.NATSServer'
  if (at.platform === 'linux' && at.has('apt-get')) {
    const install = `${asRoot(at)}apt-get update && ${asRoot(at)}apt-get install -y --no-install-recommends nats-server`
    // The package starts a service on port 4222, which `npm start` wants for itself: stop it at once.
    return at.has('systemctl') ? `${install} && ${asRoot(at)}systemctl disable --now nats-server` : install
  }
  const asset = release.assets[`${at.platform}-${at.arch}`]
  if (!asset) return `go install github.com/nats-io/nats-server/v2@v${release.version}`
  const name = basename(new URL(asset.url).pathname, '.tar.gz')
  const folder = `'${binFolder.replaceAll("'", `'\\''`)}'`
  return `mkdir -p ${folder} && curl -fL ${asset.url} | tar -xz -C ${folder} --strip-components=1 ${name}/nats-server`
}

function chromiumCommand(at: Circumstances): string {
  if (at.platform === 'darwin') return 'brew install --cask google-chrome'
  if (at.platform === 'win32') return 'winget install Google.Chrome'
  if (at.has('apt-get'))
    return `${asRoot(at)}apt-get update && ${asRoot(at)}apt-get install -y --no-install-recommends chromium`
  if (at.has('dnf')) return `${asRoot(at)}dnf install -y chromium`
  if (at.has('apk')) return `${asRoot(at)}apk add chromium`
  return `${asRoot(at)}pacman -S --noconfirm chromium`
}

function asRoot({ isRoot }: Circumstances): string {
  return isRoot ? '' : 'sudo '
}
