import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Locked {
  integrity?: string
  link?: boolean
  inBundle?: boolean
  hasInstallScript?: boolean
  resolved?: string
  dev?: boolean
}

const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }
/** Packages of a registry, by their folder. */
const locked = Object.entries(packages).filter(
  ([folder, { link, inBundle }]) => folder.includes('node_modules/') && !link && !inBundle,
)

/** Builds of chdb for other machines, which could not be had where the lock was made; see docs/security.md. */
const WITHOUT_HASH = ['darwin-arm64', 'darwin-x64', 'linux-arm64-gnu'].map(name => `node_modules/@chdb/lib-${name}`)

/** Packages that may run code when they are installed. */
const WITH_INSTALL_SCRIPT = ['chdb', 'core-js', 'msgpackr-extract']

/** Licences that put no conditions on the product. Before another is added, it has to be read. */
const PERMISSIVE = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Unlicense'])

it('every package of the lock is fetched only with the content whose hash it has', () => {
  expect(locked.length).toBeGreaterThan(300)
  const without = locked.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''))
  expect(without.map(([folder]) => folder).filter(folder => !WITHOUT_HASH.includes(folder))).toEqual([])
})

it('the lock names no address to fetch from: the registry is the one that npm is told', () => {
  expect(locked.filter(([, { resolved }]) => resolved !== undefined).map(([folder]) => folder)).toEqual([])
  expect(read('.npmrc')).toContain('omit-lockfile-registry-resolved=true')
})

it('no package but these runs code when it is installed', () => {
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript)
  const names = scripted.map(([folder]) => folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length))
  expect(names).toEqual(WITH_INSTALL_SCRIPT)
})

it('every package that is installed with the product has a permissive licence', () => {
  const licences = locked
    .filter(([folder, { dev }]) => !dev && existsSync(join(root, folder, 'package.json')))
    .map(([folder]): [string, string] => [folder, licenceOf(folder)])
  expect(licences.length).toBeGreaterThan(50)
  expect(licences.filter(([, licence]) => !isPermissive(licence))).toEqual([])
})

it('docs/dependencies.md says why each direct dependency is there', () => {
  const page = read('docs/dependencies.md')
  const folders = readdirSync(root, { withFileTypes: true }).filter(entry => entry.isDirectory())
  const manifests = ['.', ...folders.map(({ name }) => name)].map(folder => join(folder, 'package.json'))
  const direct = manifests
    .filter(path => existsSync(join(root, path)))
    .flatMap(path => {
      const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read(path))
      return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
    })
  expect(direct.length).toBeGreaterThan(30)
  const isOurs = (name: string) => name === 'slotstream' || name.startsWith('@slotstream/')
  expect(direct.filter(name => !isOurs(name) && !page.includes(`\`${name}\``))).toEqual([])
})

it('the repository has no file of a kind that holds secrets', async () => {
  const { stdout } = await promisify(execFile)('git', ['ls-files'], { cwd: root })
  expect(stdout.split('\n').filter(path => /(^|\/)(\.env|admin-token)$|\.(pem|key|p12)$/.test(path))).toEqual([])
})

function licenceOf(folder: string): string {
  const { license, licenses } = JSON.parse(read(join(folder, 'package.json')))
  const all = [license, licenses].flat().filter(Boolean)
  return all.map(it => (typeof it === 'string' ? it : it.type)).join(' OR ')
}

/** `(MIT OR GPL-3.0)` leaves a choice; `MIT AND Zlib` doesn't. */
function isPermissive(expression: string): boolean {
  const alternatives = expression.replace(/[()]/g, '').split(/ OR /i)
  return alternatives.some(alternative => alternative.split(/ AND /i).every(name => PERMISSIVE.has(name.trim())))
}
