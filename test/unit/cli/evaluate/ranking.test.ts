import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseArguments } from '#cli/evaluate/parse-arguments.js'
import { evaluateRanking } from '#cli/evaluate/ranking/evaluate-ranking.js'
import { readCategories } from '#cli/evaluate/ranking/read-categories.js'
import { compareIds, readInteractions } from '#cli/evaluate/ranking/read-interactions.js'
import { splitLog } from '#cli/evaluate/ranking/split.js'
import { runCommand } from '#cli/evaluate/run-command.js'
import { UsageError } from '#cli/usage-error.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slotstream-evaluate-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const LINES = ['1\t10\t5\t100', '1\t9\t5\t100', '2\t9\t3\t50', '2\t10\t4\t60', '3\t9\t1\t70']

async function run(...args: string[]): Promise<string[]> {
  const printed: string[] = []
  await runCommand(parseArguments(args), line => printed.push(line))
  return printed
}

describe('the command line', () => {
  it.each([
    [['nonsense']],
    [['ranking']],
    [['ranking', '--log', 'f', '--split', 'linear']],
    [['ranking', '--unknown']],
  ])('%j is rejected with how it should be', args => {
    expect(() => parseArguments(args)).toThrow(UsageError)
  })

  it('is parsed', () => {
    expect(parseArguments([])).toEqual({ do: 'help' })
    const defaults = { do: 'ranking', log: 'f', split: 'md5', items: undefined, json: false }
    expect(parseArguments(['ranking', '--log', 'f'])).toEqual(defaults)
  })
})

describe('a log', () => {
  it.each([
    ['tabs', LINES.join('\n')],
    ['commas and a header', `userId,movieId,rating,timestamp\r\n${LINES.join('\r\n').replaceAll('\t', ',')}\r\n`],
    ['bars, quotes and a mark', `\uFEFF"user"|"item"|"rating"|"time"\n${LINES.join('\n').replaceAll('\t', '|')}\n\n`],
  ])('is read with %s', (_how, text) => {
    const interactions = readInteractions(text, 'f')
    expect(interactions).toHaveLength(5)
    expect(interactions[0]).toEqual({ user: '1', item: '10', time: 100 })
  })

  it('is rejected with the line that is none', () => {
    expect(() => readInteractions('1,2,3,4\n1,2,3', 'log.csv')).toThrow(/log\.csv, line 2/)
    expect(() => readInteractions('user,item,rating,time\n', 'log.csv')).toThrow(/has no lines/)
  })

  it('that is missing is an error that names it', async () => {
    await expect(run('ranking', '--log', join(folder, 'none'))).rejects.toThrow(/none cannot be read/)
  })
})

describe('splits', () => {
  const interactions = readInteractions(LINES.join('\n'), 'f')

  it('by time take the last fifth, by user and item where times are equal', () => {
    expect(splitLog(interactions, 'time')).toEqual([true, false, false, false, false])
  })

  it('by last take the last line of each user, the higher item where times are equal', () => {
    expect(splitLog(interactions, 'last')).toEqual([true, false, false, true, true])
  })

  it('by md5 take about a fifth, by user and item alone', () => {
    const many = Array.from({ length: 5_000 }, (_, n) => ({ user: `${n % 70}`, item: `${n}`, time: 0 }))
    const tests = splitLog(many, 'md5')
    const share = tests.filter(Boolean).length / many.length
    expect(share).toBeGreaterThan(0.18)
    expect(share).toBeLessThan(0.22)
  })

  it('compare numbers by size, and names as text', () => {
    expect(['10', '9', 'b', 'a10', 'a9'].sort(compareIds)).toEqual(['9', '10', 'a10', 'a9', 'b'])
  })

  it('compare a mixture of numbers and names the same whatever the order of lines', () => {
    const sorted = ['2', '10', '1a', 'b']
    for (const order of [sorted, sorted.toReversed(), ['10', '1a', '2', 'b'], ['1a', '2', '10', 'b']])
      expect([...order].sort(compareIds)).toEqual(sorted)
  })
})

describe('categories', () => {
  it('are read from lists, and from the genres of MovieLens', () => {
    const movie = `1|Toy Story (1995)|01-Jan-1995||http://imdb|${Array.from({ length: 19 }, (_, i) => (i === 3 || i === 5 ? 1 : 0)).join('|')}`
    expect(readCategories(`${movie}\n`, 'u.item').get('1')).toEqual(['genre 3', 'genre 5'])
    expect(readCategories('7,hats,red\n8,bags', 'items').get('7')).toEqual(['hats', 'red'])
    expect(() => readCategories('7', 'items')).toThrow(/items, line 1/)
  })
})

describe('measures', () => {
  it('are those of the definitions, worked out by hand', () => {
    // Everyone has 1; users 1–3 have 2, too, and user 4 is tested with it.
    const lines = [
      '1,1,1,1',
      '1,2,1,2',
      '2,1,1,3',
      '2,2,1,4',
      '3,1,1,5',
      '3,2,1,6',
      '3,3,1,7',
      '4,1,1,8',
      '4,2,1,9',
      '4,3,1,10',
    ]
    const report = evaluateRanking(readInteractions(lines.join('\n'), 'f'), 'time')
    expect(report.users).toBe(1)
    // The best order is 2, 3: both are among the ten, and nothing else is left to be ranked.
    for (const name of ['popular', 'covisitation', 'knn', 'ease'] as const)
      expect(report.policies[name]).toEqual({ ndcg10: 1, recall10: 1, hitRate10: 1 })
    expect(report.policies.affinity).toBeNull()
  })

  it('have ids as other programs read them, in UTF-8 and in Latin 1', async () => {
    const names = ['zoë', 'bjørn', 'šárka', 'çelik', 'łukasz']
    const text = (users: string[]) =>
      Array.from({ length: 200 }, (_, n) => `${users[n % users.length]},ü${(n * n) % 41},1,${n}`).join('\n')
    const latin = names.slice(0, 2)
    for (const [users, encoding] of [
      [names, 'utf8'],
      [latin, 'latin1'],
    ] as const) {
      const log = join(folder, encoding)
      await writeFile(log, text([...users]), encoding)
      const [json] = await run('ranking', '--log', log, '--split', 'md5', '--json')
      expect(JSON.parse(json!)).toEqual(evaluateRanking(readInteractions(text([...users]), 'f'), 'md5'))
    }
  })

  it('are printed as one line of JSON, or as a table', async () => {
    const log = join(folder, 'u.data')
    const items = join(folder, 'items')
    await writeFile(log, LINES.join('\n'))
    await writeFile(items, '9,hats\n10,bags')
    const [json, ...more] = await run('ranking', '--log', log, '--split', 'last', '--items', items, '--json')
    expect(more).toEqual([])
    const report = JSON.parse(json!)
    expect(Object.keys(report)).toEqual(['split', 'users', 'policies'])
    expect(Object.keys(report.policies)).toEqual(['popular', 'affinity', 'covisitation', 'knn', 'ease'])
    expect(report.policies.affinity).toEqual(report.policies.popular)
    expect((await run('ranking', '--log', log, '--split', 'last')).join('\n')).toMatch(/not measured: see --items/)
  })
})
