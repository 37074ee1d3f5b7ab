import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clickHouseUrl, collectorOnThisMachine } from '@slotstream/runtime/settings'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotstream-places-'))
  mkdirSync(join(folder, 'run'))
  writeFileSync(join(folder, 'run/ports.json'), JSON.stringify({ PORT: 3411, CLICKHOUSE_PORT: 8125 }))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('commands look', () => {
  it('where `npm start` with the same data folder has the collector and ClickHouse', () => {
    expect(collectorOnThisMachine({ DATA_DIR: folder })).toBe('http://localhost:3411')
    expect(clickHouseUrl({ DATA_DIR: folder })).toBe('http://127.0.0.1:8125')
  })

  it('where settings say, whatever is kept', () => {
    expect(collectorOnThisMachine({ DATA_DIR: folder, PORT: '3999' })).toBe('http://localhost:3999')
    expect(clickHouseUrl({ DATA_DIR: folder, CLICKHOUSE_PORT: '8999' })).toBe('http://127.0.0.1:8999')
    expect(clickHouseUrl({ DATA_DIR: folder, CLICKHOUSE_URL: 'http://ch:8123' })).toBe('http://ch:8123')
  })

  it('at the usual ports without such a folder, and where what is kept is none', () => {
    expect(collectorOnThisMachine({ DATA_DIR: join(folder, 'other') })).toBe('http://localhost:3000')
    mkdirSync(join(folder, 'odd/run'), { recursive: true })
    for (const text of ['', '{"PORT":"x"}', '{"PORT":0}', '{"PORT":65536}', 'null']) {
      writeFileSync(join(folder, 'odd/run/ports.json'), text)
      expect(collectorOnThisMachine({ DATA_DIR: join(folder, 'odd') })).toBe('http://localhost:3000')
    }
    expect(() => collectorOnThisMachine({ DATA_DIR: folder, PORT: 'x' })).toThrow('PORT')
  })
})
