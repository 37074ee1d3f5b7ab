import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findFiles, inspectLog, readItems, readLog } from '#sources/open-bandit/files.js'
import { collect } from './collect.js'

const FIXTURE = fileURLToPath(new URL('../../../fixtures/open-bandit', import.meta.url))
const HEADER = 'timestamp,item_id,position,click,propensity_score\n'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slotstream-replay-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('findFiles', () => {
  it('knows the log and the items by their columns, from the folder or the log', async () => {
    const files = { log: join(FIXTURE, 'log.csv'), items: join(FIXTURE, 'items.csv') }
    expect(await findFiles(FIXTURE)).toEqual(files)
    expect(await findFiles(files.log)).toEqual(files)
  })

  it('does without items', async () => {
    await cp(join(FIXTURE, 'log.csv'), join(folder, 'log.csv'))
    expect(await findFiles(folder)).toEqual({ log: join(folder, 'log.csv') })
  })

  it('says what is wrong with a path', async () => {
    await expect(findFiles(join(folder, 'nothing'))).rejects.toThrow("doesn't exist")
    await expect(findFiles(folder)).rejects.toThrow('holds no CSV file with the columns timestamp')
    await writeFile(join(folder, 'a.csv'), HEADER)
    await writeFile(join(folder, 'b.csv'), HEADER)
    await expect(findFiles(folder)).rejects.toThrow('holds several logs (a.csv, b.csv)')
  })
})

describe('inspectLog', () => {
  it('sums a log up as reading it does', async () => {
    const rows = await collect(readLog(join(FIXTURE, 'log.csv')))
    const summary = await inspectLog(join(FIXTURE, 'log.csv'))
    expect(summary).toMatchObject({
      impressions: rows.length,
      clicks: rows.filter(row => row.clicked).length,
      contentIds: new Set(rows.map(row => row.contentId)),
    })
    expect(rows.map(row => row.index)).toEqual(rows.map((_, index) => index))
  })

  it("has a fingerprint of the content, not of the file's name", async () => {
    const fingerprintOf = async (name: string, text: string) => {
      await writeFile(join(folder, name), text)
      return (await inspectLog(join(folder, name))).fingerprint
    }
    const row = '2019-11-24 00:00:00+00:00,1,1,0,0.5\n'
    const first = await fingerprintOf('a.csv', HEADER + row)
    expect(await fingerprintOf('b.csv', HEADER + row)).toBe(first)
    expect(await fingerprintOf('a.csv', HEADER + row + row)).not.toBe(first)
  })

  it('finds a wrong line wherever it is', async () => {
    const row = '2019-11-24 00:00:00+00:00,1,1,0,0.5\n'
    await writeFile(join(folder, 'a.csv'), `${HEADER}${row}${row}2019-11-24 00:00:00+00:00,1,1,2,0.5\n`)
    await expect(inspectLog(join(folder, 'a.csv'))).rejects.toThrow(/a\.csv:4: click is "2", it must be 0 or 1/)
  })
})

describe('readItems', () => {
  it('gives the features by content id', async () => {
    const items = await readItems(join(FIXTURE, 'items.csv'))
    expect(items.size).toBe(5)
    expect(items.get('item-3')).toMatchObject({ item_id: '3', item_feature_1: 'category-1' })
  })
})
