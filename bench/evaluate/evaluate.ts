import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { BenchOptions } from '../options.js'
import { residentOf } from '../support/memory.js'
import { markdownTable, whole } from '../support/table.js'
import { writeLog } from './write-log.js'

const PROGRAM = fileURLToPath(new URL('../../../cli/dist/evaluate/main.js', import.meta.url))
const ROUNDS = 3
const WATCH_MS = 250

/** Policies that are valued: a plain one, one of many weights, and one that learns first. */
const POLICIES: Record<string, unknown> = {
  uniform: undefined,
  fixed: { type: 'fixed', contentIds: ['content19'] },
  thompson: { type: 'thompson' },
}

/**
 * Measures time and memory of valuing a policy by an export of decisions, beside splitting the same file into fields.
 */
export async function benchEvaluate({ rows }: BenchOptions): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slotstream-evaluate-'))
  try {
    const log = join(folder, 'log.csv')
    await writeLog(log, rows)
    const { size } = await stat(log)
    const table: string[][] = []
    for (const [name, policy] of Object.entries(POLICIES)) {
      const file = join(folder, `${name}.json`)
      if (policy) await writeFile(file, JSON.stringify(policy))
      const seconds: number[] = []
      const baseline: number[] = []
      let memory = 0
      for (let round = 0; round < ROUNDS; round++) {
        baseline.push(await splitAll(log))
        const run = await evaluate(log, policy ? file : name)
        seconds.push(run.seconds)
        memory = Math.max(memory, run.bytes)
      }
      const best = Math.min(...seconds)
      const ratio = best / Math.min(...baseline)
      table.push([name, best.toFixed(1), Math.max(...seconds).toFixed(1), ratio.toFixed(1), whole(memory / 2 ** 20)])
    }
    return (
      `evaluate: ${whole(rows)} rows of ${whole(size / rows)} bytes, all estimators with intervals, ${ROUNDS} rounds; ` +
      'aim: under 10 s and 1,024 MB\n' +
      markdownTable(['policy', 'best s', 'worst s', '÷ splitting lines', 'most MB'], table)
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function evaluate(log: string, policy: string): Promise<{ seconds: number; bytes: number }> {
  const started = performance.now()
  const child = spawn(process.execPath, [PROGRAM, '--log', log, '--policy', policy, '--json'])
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  let bytes = 0
  const watch = setInterval(async () => {
    const resident = await residentOf(child.pid!)
    if (resident > bytes) bytes = resident
  }, WATCH_MS)
  const code = await new Promise(resolve => child.once('close', resolve))
  clearInterval(watch)
  if (code !== 0 || !JSON.parse(output).estimates) throw new Error(`evaluate ended with ${code}: ${output}`)
  return { seconds: (performance.now() - started) / 1_000, bytes }
}

/** Returns the seconds that Node's own reader takes to split a file into lines and fields. */
async function splitAll(file: string): Promise<number> {
  const started = performance.now()
  let fields = 0
  for await (const line of createInterface({ input: createReadStream(file) })) fields += line.split(',').length
  if (fields === 0) throw new Error(`${file} is empty`)
  return (performance.now() - started) / 1_000
}
