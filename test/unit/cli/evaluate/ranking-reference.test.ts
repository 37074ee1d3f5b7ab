import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { evaluateRanking } from '#cli/evaluate/ranking/evaluate-ranking.js'
import { readInteractions } from '#cli/evaluate/ranking/read-interactions.js'
import { SPLITS } from '#cli/evaluate/ranking/split.js'
import { seededRandom } from '#core/decide/random.js'

const SCRIPT = fileURLToPath(new URL('../../../support/ranking-reference.py', import.meta.url))
const PYTHON = process.env.PYTHON ?? 'python3'
const hasNumpy = spawnSync(PYTHON, ['-c', 'import numpy']).status === 0
if (!hasNumpy) console.warn(`Skipped: the ranking measures of numpy, because ${PYTHON} has no numpy (set PYTHON).`)

/** MovieLens 100k's `u.data`, which may not be redistributed: the variable names it. */
const ML_100K = process.env.ML_100K ?? ''
const hasMovies = existsSync(ML_100K)
if (!hasMovies) console.warn('Skipped: the ranking measures of MovieLens 100k: set ML_100K to the path of its u.data.')

const folder = mkdtempSync(join(tmpdir(), 'slotstream-reference-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A log of users with tastes: each likes some kinds of items, and a few items are liked by all. */
function someLog(): string {
  const random = seededRandom('ranking log')
  const lines = new Map<string, string>()
  for (let n = 0; n < 6_000; n++) {
    const user = 1 + Math.floor(random() * 150)
    const kind = random() < 0.7 ? user % 6 : Math.floor(random() * 6)
    const item = 1 + kind + 6 * Math.floor(25 * random() ** 2)
    lines.set(`${user}:${item}`, `${user}\t${item}\t3\t${1_000 + Math.floor(random() * 4_000)}`)
  }
  return [...lines.values()].join('\n')
}

describe.skipIf(!hasNumpy)('ranking measures', () => {
  const log = join(folder, 'u.data')
  writeFileSync(log, someLog())

  it.each(SPLITS)('are those of an independent script, split by %s', split => {
    const { status, stdout, stderr } = spawnSync(PYTHON, [SCRIPT, log, split], { encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    const { users, ...expected } = JSON.parse(stdout)
    const report = evaluateRanking(readInteractions(readFileSync(log, 'latin1'), log), split)
    expect(report.users).toBe(users)
    for (const [name, measures] of Object.entries(expected as Record<string, Record<string, number>>))
      for (const [measure, value] of Object.entries(measures))
        expect(report.policies[name as 'ease']?.[measure as 'ndcg10'], `${name} ${measure}`).toBeCloseTo(value, 9)
  })
})

describe.skipIf(!hasMovies)('ranking measures of MovieLens 100k', () => {
  it('are the published ones, split by md5', () => {
    const interactions = readInteractions(readFileSync(ML_100K, 'latin1'), ML_100K)
    const { policies } = evaluateRanking(interactions, 'md5')
    const published = {
      popular: [0.218, 0.117, 0.769],
      covisitation: [0.321, 0.156, 0.828],
      knn: [0.385, 0.206, 0.892],
      ease: [0.442, 0.233, 0.915],
    }
    for (const [name, [ndcg, recall, hitRate]] of Object.entries(published)) {
      const { ndcg10, recall10, hitRate10 } = policies[name as keyof typeof published]!
      expect(Math.abs(ndcg10 - ndcg!), name).toBeLessThan(0.0006)
      expect(Math.abs(recall10 - recall!), name).toBeLessThan(0.0006)
      expect(Math.abs(hitRate10 - hitRate!), name).toBeLessThan(0.0006)
    }
  })
})
