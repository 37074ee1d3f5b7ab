import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { closeDataFolder } from '#supervisor/data/data-folder.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotstream-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const modeOf = (path: string) => (statSync(join(folder, path)).mode & 0o7777).toString(8)

it('closes the folder and what is ours in it, and leaves alone what is not', () => {
  const outside = join(folder, 'outside')
  const data = join(folder, 'data')
  for (const path of [outside, data, join(data, 'nats'), join(data, 'photos')]) mkdirSync(path)
  writeFileSync(join(outside, 'file'), '')
  writeFileSync(join(data, 'admin-token'), '')
  writeFileSync(join(data, 'letter.txt'), '')
  for (const path of [
    'outside',
    'outside/file',
    'data',
    'data/nats',
    'data/photos',
    'data/admin-token',
    'data/letter.txt',
  ])
    chmodSync(join(folder, path), 0o755)
  symlinkSync(join(outside, 'file'), join(data, 'clickhouse-password'))

  expect(closeDataFolder(data, { shared: false })).toBeUndefined()
  expect(['data', 'data/nats', 'data/logs', 'data/run', 'data/bin'].map(modeOf)).toEqual(Array(5).fill('700'))
  expect(modeOf('data/admin-token')).toBe('600')
  expect(['data/photos', 'data/letter.txt', 'outside/file'].map(modeOf)).toEqual(['755', '755', '755'])

  closeDataFolder(data, { shared: true })
  expect(['data', 'data/bin', 'data/nats'].map(modeOf)).toEqual(['711', '711', '700'])
})

it('does not close a folder that others use, as /tmp is, and says so', () => {
  chmodSync(folder, 0o1777)
  expect(closeDataFolder(folder, { shared: true })).toBe('others may put files there')
  expect(modeOf('')).toBe('1777')
  expect(modeOf('logs')).toBe('700')
})
