import { expect, it } from 'vitest'
import { natsRelease } from '#supervisor/obtain/release.js'

// Node's names for platforms and processors, and the ones that the release's files carry.
const files = {
  'linux-x64': 'linux-amd64.tar.gz',
  'linux-arm64': 'linux-arm64.tar.gz',
  'darwin-x64': 'darwin-amd64.tar.gz',
  'darwin-arm64': 'darwin-arm64.tar.gz',
  'win32-x64': 'windows-amd64.zip',
}

it('every pinned asset is the official file of its platform and version, with a whole SHA-256 of its own', () => {
  const { version, assets } = natsRelease()
  const base = `https://github.com/nats-io/nats-server/releases/download/v${version}/nats-server-v${version}-`
  expect(Object.fromEntries(Object.entries(assets).map(([platform, { url }]) => [platform, url]))).toEqual(
    Object.fromEntries(Object.entries(files).map(([platform, file]) => [platform, base + file])),
  )
  const sums = Object.values(assets).map(asset => asset.sha256)
  for (const sum of sums) expect(sum).toMatch(/^[0-9a-f]{64}$/)
  expect(new Set(sums).size).toBe(sums.length)
})
