import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { covered, lakeFileName, lakeFolder, parseLakeFileName } from '#aggregator/lake/lake-files.js'

describe('the name of a file of the lake', () => {
  it('says what is in it', () => {
    const name = lakeFileName('EVENTS_1', { first: 2 ** 43 + 1, last: 2 ** 43 + 250 })
    expect(name).toBe('EVENTS_1-0008796093022209-0008796093022458.parquet')
    expect(parseLakeFileName(name)).toEqual({ stream: 'EVENTS_1', first: 2 ** 43 + 1, last: 2 ** 43 + 250 })
  })

  it('is not that of a file that is being written, nor of somebody else', () => {
    for (const name of ['.EVENTS-0000000000000001-0000000000000002.parquet', 'EVENTS-1-2.parquet', 'notes.txt'])
      expect(parseLakeFileName(name)).toBeUndefined()
  })
})

it('finds files whose range is part of that of another', () => {
  const file = (first: number, last: number) => ({ stream: 'S', first, last, path: `${first}-${last}` })
  const paths = (...files: ReturnType<typeof file>[]) => covered(files).map(({ path }) => path)
  expect(paths(file(1, 100), file(101, 150), file(151, 151))).toEqual([])
  expect(paths(file(1, 100), file(1, 150), file(151, 200), file(160, 170))).toEqual(['1-100', '160-170'])
})

describe('a folder of the lake', () => {
  let lake: string
  beforeEach(async () => {
    lake = await mkdtemp(join(tmpdir(), 'slotstream-lake-'))
  })
  afterEach(() => rm(lake, { recursive: true, force: true }))

  const RANGE = { first: 1, last: 9 }
  const DATE = '2026-11-27'
  const yes = async () => true
  const write = (text: string, mayKeep = yes) =>
    lakeFolder(lake, 'events').write('EVENTS', RANGE, DATE, async () => Readable.from([Buffer.from(text)]), mayKeep)
  const everything = async () =>
    (await readdir(lake, { recursive: true, withFileTypes: true }))
      .filter(entry => entry.isFile())
      .map(({ name }) => name)

  it('has nothing at first', async () => {
    expect(await lakeFolder(lake, 'events').list('EVENTS')).toEqual([])
    await lakeFolder(lake, 'events').clear('EVENTS')
  })

  it('lists what was written, by stream', async () => {
    expect(await write('PAR1…PAR1')).toBe(11)
    const [file, ...more] = await lakeFolder(lake, 'events').list('EVENTS')
    expect(more).toEqual([])
    expect(file).toMatchObject({ stream: 'EVENTS', first: 1, last: 9 })
    expect(await readFile(file!.path, 'utf8')).toBe('PAR1…PAR1')
    expect(file!.path).toContain(join('events', 'date=2026-11-27', 'EVENTS-'))
    expect(await lakeFolder(lake, 'events').list('EVENTS_1')).toEqual([])
    expect(await lakeFolder(lake, 'events').list()).toHaveLength(1)
  })

  it.each([
    ['is cut short', 'PAR1…'],
    ['ends in an error', 'PAR1…PAR1 Code: 241. DB::Exception: Memory limit exceeded'],
    ['is an error', 'Code: 60. DB::Exception: Unknown table'],
    ['is nothing', ''],
  ])('keeps nothing of an answer that %s', async (_, text) => {
    await expect(write(text)).rejects.toThrow('not a whole Parquet file')
    expect(await everything()).toEqual([])
  })

  it('keeps nothing for a writer that is no owner any more', async () => {
    await expect(write('PAR1…PAR1', async () => false)).rejects.toThrow("another process's now")
    expect(await everything()).toEqual([])
  })

  it('lets a writer fail whose begun file the next one has cleared away', async () => {
    const late = write('PAR1…PAR1', async () => {
      await lakeFolder(lake, 'events').clear('EVENTS')
      return true
    })
    await expect(late).rejects.toThrow('ENOENT')
    expect(await everything()).toEqual([])
  })

  it('clears away what nobody finished, and only that', async () => {
    await write('PAR1…PAR1')
    const day = join(lake, 'events', 'date=2026-11-27')
    const begun = (stream: string) => `.${lakeFileName(stream, RANGE)}.0f-1`
    for (const stream of ['EVENTS', 'EVENTS_1']) await writeFile(join(day, begun(stream)), 'PAR1…')
    await lakeFolder(lake, 'events').clear('EVENTS')
    expect((await everything()).sort()).toEqual([begun('EVENTS_1'), lakeFileName('EVENTS', RANGE)])
  })
})
