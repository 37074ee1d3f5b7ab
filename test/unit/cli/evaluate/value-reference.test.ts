import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { parseArguments } from '#cli/evaluate/parse-arguments.js'
import { runCommand } from '#cli/evaluate/run-command.js'
import type { PolicyReport } from '#cli/evaluate/value/evaluate-policy.js'

const pathTo = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const SCRIPT = pathTo('../../../support/evaluation-reference.py')
const PYTHON = process.env.PYTHON ?? 'python3'
const hasPython = spawnSync(PYTHON, ['--version']).status === 0
if (!hasPython)
  console.warn(`Skipped: the values of an independent script, because there is no ${PYTHON} (set PYTHON).`)

const REAL = join(process.env.OPEN_BANDIT_DIR || pathTo('../../../../../shared/data/open-bandit'), 'random-men.csv')
const hasReal = existsSync(REAL)
if (!hasReal)
  console.warn(`Skipped: values by the real log of Open Bandit, because there is no ${REAL} (set OPEN_BANDIT_DIR).`)
/** The real log where there is one; otherwise a small one in the same format. */
const LOG = hasReal ? REAL : pathTo('../../../fixtures/open-bandit/log.csv')

/** Weights of items: those of higher number are shown more. */
const WEIGHTS = Array.from({ length: 34 }, (_, item) => item + 1)

const folder = mkdtempSync(join(tmpdir(), 'slotstream-values-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fileOf = (name: string, content: unknown) => {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  return join(folder, name)
}

async function reportOf(log: string, policy: string, ...options: string[]): Promise<PolicyReport> {
  const printed: string[] = []
  const args = ['--log', log, '--policy', policy, '--json', ...options]
  await runCommand(parseArguments(args), line => printed.push(line))
  return JSON.parse(printed.join(''))
}

/** Chances as the lottery draws by them: whole units of 2⁻³⁰, what is left over to the first of the largest. */
function weightedChances(order: string[]): Record<string, number> {
  const total = order.reduce((sum, item) => sum + WEIGHTS[Number(item)]!, 0)
  const units = order.map(item => Math.floor((WEIGHTS[Number(item)]! / total) * 2 ** 30))
  const largest = units.indexOf(Math.max(...units))
  units[largest] = units[largest]! + 2 ** 30 - units.reduce((sum, unit) => sum + unit, 0)
  return Object.fromEntries(order.map((item, place) => [item, units[place]! / 2 ** 30]))
}

function expectClose(
  report: PolicyReport,
  expected: Pick<PolicyReport, 'estimates' | 'ess' | 'overlap' | 'maxWeight'>,
) {
  for (const name of ['ess', 'overlap', 'maxWeight'] as const)
    expect(Math.abs(report[name] / expected[name] - 1), name).toBeLessThan(1e-9)
  for (const [name, estimate] of Object.entries(expected.estimates!))
    for (const [end, value] of Object.entries(estimate as Record<string, number>)) {
      const found = report.estimates?.[name as 'ips']?.[end as 'low']
      expect(Math.abs(found! - value), `${name} ${end}`).toBeLessThan(1e-9)
    }
}

const lines = readFileSync(LOG, 'utf8')
  .split('\n')
  .filter(line => line !== '')
const order = [...new Set(lines.slice(1).map(line => line.split(',')[2]!))]
const fixed = fileOf('fixed.json', { type: 'fixed', contentIds: ['item-3'] })
const weighted = fileOf('weighted.json', { policy: { type: 'weighted' } })
const catalog = { content: WEIGHTS.map((weight, item) => ({ id: `item-${item}`, slots: ['s'], weight })) }
const content = fileOf('content.json', catalog)
/** So short that weights are above the limit of Switch-DR. */
const short = fileOf('short.csv', lines.slice(0, 901).join('\n'))

const CASES: [string, string, string, string[], () => Record<string, number> | 'uniform'][] = [
  ['uniform', LOG, 'uniform', [], () => 'uniform'],
  ['fixed', LOG, fixed, [], () => ({ 3: 1 })],
  ['fixed, few rows', short, fixed, [], () => ({ 3: 1 })],
  ['weighted', LOG, weighted, ['--content', content], () => weightedChances(order)],
]
it.skipIf(!hasPython).each(CASES)(
  'values are those of an independent script: %s',
  async (_name, log, policy, options, chances) => {
    const target = chances()
    const asked = typeof target === 'string' ? target : JSON.stringify(target)
    const { status, stdout, stderr } = spawnSync(PYTHON, [SCRIPT, log, asked], { encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    expectClose(await reportOf(log, policy, '--clip', '10', ...options), JSON.parse(stdout))
  },
)

describe.skipIf(!hasReal)('values by the real log', () => {
  it('are what that script has said: the policy that logged', async () => {
    const report = await reportOf(LOG, 'uniform')
    expectClose(report, {
      estimates: {
        ips: { value: 0.0046, low: 0.003273682374957281, high: 0.005926317625042719 },
        snips: { value: 0.0046, low: 0.003273682374957281, high: 0.005926317625042719 },
        dm: { value: 0.004593009433440619, low: 0.00324517009479433, high: 0.005940848772086908 },
        dr: { value: 0.004518257396923075, low: 0.003183340282459064, high: 0.005853174511387085 },
        switchDr: { value: 0.004518257396923075, low: 0.003183340282459064, high: 0.005853174511387085 },
      },
      ess: 10_000,
      overlap: 1,
      maxWeight: 1,
    })
    expect(report.refused).toBeNull()
    expect(Object.keys(report.estimates!)).toEqual(['ips', 'snips', 'dm', 'dr', 'switchDr'])
  })

  it('are what that script has said, and refused: one item of 34', async () => {
    const report = await reportOf(LOG, fixed)
    expectClose(report, {
      estimates: {
        ips: { value: 0.0068, low: -0.0026236747393689605, high: 0.01622367473936896 },
        snips: { value: 0.006711409395973153, low: -0.002559156901775215, high: 0.01598197569372152 },
        dm: { value: 0.00597727055398143, low: -0.0021823083216398875, high: 0.014136849429602747 },
        dr: { value: 0.007629550061162119, low: -0.0018514917340680826, high: 0.01711059185639232 },
        switchDr: { value: 0.007629550061162119, low: -0.0018514917340680826, high: 0.01711059185639232 },
      },
      ess: 298,
      overlap: 1,
      maxWeight: 34,
    })
    expect(report.refused).toMatchObject({ code: 'low_sample', cure: expect.stringContaining('33,558 rows') })
  })

  it('are none for what was never shown', async () => {
    const report = await reportOf(LOG, fileOf('new.json', { type: 'fixed', contentIds: ['item-99'] }))
    expect(report).toMatchObject({
      estimates: null,
      ess: 0,
      overlap: 0,
      maxWeight: 0,
      refused: { code: 'zero_support' },
    })
  })

  it('are none where chances are not those that were drawn by', async () => {
    const wrong = lines.map((line, index) => (index > 0 ? line.replace('0.029411764705882353', '0.02') : line))
    const report = await reportOf(fileOf('wrong.csv', wrong.join('\n')), 'uniform')
    expect(report).toMatchObject({ estimates: null, overlap: 1, refused: { code: 'corrupt_propensities' } })
    expect(report.ess).toBeCloseTo(10_000, 5)
  })

  it.each([{ type: 'random' }, { type: 'popular' }, { type: 'trending' }, { type: 'thompson' }])(
    'follow from the chances of the product: %j',
    async policy => {
      const report = await reportOf(LOG, fileOf('policy.json', policy))
      expect(report.estimates).not.toBeNull()
      expect(report.overlap).toBeCloseTo(1, 9)
      if (policy.type === 'random') expect(report.estimates!.ips.value).toBeCloseTo(0.0046, 9)
    },
  )
})
