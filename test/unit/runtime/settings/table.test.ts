import { readdirSync, readFileSync } from 'node:fs'
import { ANONYMOUS_PROFILE_DAYS } from '@slotstream/core'
import { numberSetting, type Program, SETTINGS, type Setting, textSetting } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { likelyMisspelt, warnOfMisspelt } from '#runtime/settings/misspelt.js'

const ROOT = new URL('../../../../', import.meta.url)

/** Programs by the folder of their source; `runtime` is of all. */
const FOLDERS: Record<string, Program[]> = {
  collector: ['collector', 'micro'],
  aggregator: ['aggregator', 'commands'],
  clickhouse: ['clickhouse', 'users'],
  cli: ['plan', 'replay'],
  sources: ['replay'],
  supervisor: ['start', 'tests'],
  runtime: [],
  core: [],
  protocol: [],
  'tracking-plan': [],
}

/** Variables of the operating system. */
const OF_THE_SYSTEM = ['PATH', 'Path', 'HOME', 'SystemRoot', 'ProgramFiles', "'ProgramFiles(x86)'", 'LOCALAPPDATA']

/** The readers themselves; the pipe's descriptor must be read, and removed, before anything else. */
const READERS = ['runtime/settings/read.ts', 'runtime/settings/secrets.ts']

const READ = /\b(?:numberSetting|textSetting|secretSetting|neededSetting|neededSecret|isSet)\(\s*'(\w+)'/g
const RAW = [/\benv\??\.([A-Za-z_]\w*)/g, /\benv\??\.?\[([^\]]+)\]/g, /(\{[^{}]*\})\s*=\s*(?:process\.)?env\b/g]

const sources = Object.keys(FOLDERS).flatMap(folder =>
  readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter(path => /\.ts$/.test(path) && !/(^|[/\\])(dist|node_modules)[/\\]|\.d\.ts$/.test(path))
    .map(path => {
      const name = `${folder}/${path.replaceAll('\\', '/')}`
      return { folder, name, text: readFileSync(new URL(name, ROOT), 'utf8') }
    }),
)

const rows = Object.entries(SETTINGS) as [keyof typeof SETTINGS, Setting][]

describe('the table of settings', () => {
  const reads = sources.flatMap(({ folder, text }) =>
    [...text.matchAll(READ)].map(([, name]) => ({ folder, name: name as string })),
  )

  it('is the only way to a variable: no source reads one by itself', () => {
    const raw = sources
      .filter(({ name }) => !READERS.includes(name))
      .flatMap(({ name, text }) => RAW.flatMap(pattern => [...text.matchAll(pattern)].map(([, read]) => [name, read])))
      .filter(([, read]) => !OF_THE_SYSTEM.includes(read as string))
    expect(raw).toEqual([])
  })

  it('has every variable that is read, and none that is not', () => {
    const known = rows.map(([name]) => name).filter(name => name !== 'SECRETS_FD')
    expect([...new Set(reads.map(({ name }) => name))].toSorted()).toEqual(known.toSorted())
  })

  it('says which programs read each', () => {
    const wrong = rows
      .filter(([name]) => name !== 'SECRETS_FD')
      .flatMap(([name, { programs }]) => {
        const folders = reads.filter(read => read.name === name).map(({ folder }) => folder)
        const silent = folders.filter(
          folder => folder !== 'runtime' && !FOLDERS[folder]!.some(program => programs.includes(program)),
        )
        const invented = folders.includes('runtime')
          ? []
          : programs.filter(program => !folders.some(folder => FOLDERS[folder]!.includes(program)))
        return [...silent, ...invented].map(which => `${name}: ${which}`)
      })
    expect(wrong).toEqual([])
  })

  it('has defaults within their bounds, and sentences without a full stop', () => {
    for (const [name, row] of rows) {
      expect(row.meaning, name).toMatch(/^[A-Z`].*[^.]$/)
      if (row.kind !== 'number') continue
      for (const of of [{}, ...Object.values(row.in ?? {})]) {
        const { default: value = row.min ?? 0, min = 0, max = Number.MAX_SAFE_INTEGER } = { ...row, ...of }
        expect(value >= min && value <= max, name).toBe(true)
      }
    }
  })

  it('has the defaults that other packages know by themselves', () => {
    expect(SETTINGS.ANONYMOUS_PROFILE_DAYS.default).toBe(ANONYMOUS_PROFILE_DAYS)
  })
})

describe('a setting', () => {
  it('is the default of the table when it is unset or empty, of the program where that has its own', () => {
    expect(numberSetting('MAX_PROFILES', {})).toBe(200_000)
    expect(numberSetting('MAX_PROFILES', { MAX_PROFILES: '' })).toBe(200_000)
    expect(numberSetting('STREAM_MAX_GB', {})).toBeUndefined()
    expect(textSetting('HOST', {})).toBe('0.0.0.0')
    expect(textSetting('HOST', {}, 'micro')).toBe('127.0.0.1')
  })

  it('is rejected beyond the bounds of the table, with its name, its value and the bounds', () => {
    for (const [name, row] of rows) {
      if (row.kind !== 'number' || name === 'SECRETS_FD') continue
      const { min = 0, max = Number.MAX_SAFE_INTEGER } = row
      for (const text of [String(min - 1), String(max + 1), '1.5', 'many', ' ', '0x'])
        expect(() => numberSetting(name as 'PORT', { [name]: text }), `${name}=${text}`).toThrow(
          `${name} is "${text}": it must be a whole number from ${min} to ${max}`,
        )
      for (const bound of [min, max]) expect(numberSetting(name as 'PORT', { [name]: String(bound) })).toBe(bound)
    }
    expect(numberSetting('PORT', { PORT: '0' })).toBe(0)
    expect(() => numberSetting('PORT', { PORT: '0' }, 'start')).toThrow('from 1 to 65535')
  })
})

describe('a misspelt setting', () => {
  it.each([
    ['MAX_PROFILE', 'MAX_PROFILES'],
    ['RATE_LIMIT_ADRESS', 'RATE_LIMIT_ADDRESS'],
    ['WAREHOUSE_FLUSH_S', 'WAREHOUSE_FLUSH_MS'],
    ['NATS_PASWORD_FILE', 'NATS_PASSWORD_FILE'],
  ])('%s is told, with %s', (name, meant) => {
    const lines: string[] = []
    warnOfMisspelt(line => lines.push(line), { [name]: '1' })
    expect(lines).toEqual([`${name} is not a setting: is ${meant} meant?`])
  })

  it('is none of those that are settings, of other programs, or of the system', () => {
    const others =
      'PATH HOME HOSTNAME HOSTS PORTS ROLE NODE_OPTIONS LANG NATS_SERVICE_HOST NATS_SERVICE_PORT NATS_SERVER'
    const own = rows.flatMap(([name, { kind }]) => (kind === 'secret' ? [name, `${name}_FILE`] : [name]))
    const env = Object.fromEntries([...own, ...others.split(' ')].map(name => [name, '1']))
    expect(likelyMisspelt(env)).toEqual([])
  })
})
