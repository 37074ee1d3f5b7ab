import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { obtainChromium, QUIET_CHROMIUM } from '@slotstream/supervisor'
import { chromium } from 'playwright-core'
import { percentile } from '../support/percentile.js'
import { progressOf } from '../support/progress.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { EVENTS, type Measured, measure } from './measure.js'
import { type Bundle, bundle, SDKS } from './pages.js'
import { startSink } from './sink.js'

/** As it is, and slowed to about a cheap phone's. One round of the slow ones takes as long as three of the others. */
const PROCESSORS = [
  { title: 'Plain', slowdown: 1, rounds: 3 },
  { title: 'Processor slowed four times', slowdown: 4, rounds: 1 },
]

/** Longest that one page may take, in milliseconds. What takes longer isn't measured again, and the table says so. */
const LIMIT_MS = 60_000

const done = progressOf('sdk')

/**
 * Measures what the browser package weighs beside its budget, and what it costs a page in a real Chromium, beside the
 * SDKs of others in the same run: each tracks 1,000 events in one task on a page of its own, at a server that answers
 * at once.
 */
export async function benchSdk(): Promise<string> {
  const bundles: Bundle[] = []
  for (const name of SDKS) bundles.push(await bundle(name))
  const executablePath = await obtainChromium({ dataDir: join(tmpdir(), 'slotstream-tools'), log: console.log })
  const sink = await startSink()
  const tables: string[] = []
  try {
    for (const { title, slowdown, rounds } of PROCESSORS) {
      const measured = new Map(bundles.map(({ name }) => [name, [] as Measured[]]))
      const tooLong = new Set<string>()
      for (let round = 0; round < rounds; round++)
        for (const it of bundles.filter(({ name }) => !tooLong.has(name))) {
          // A browser each: none pays for what another left behind.
          const browser = await chromium.launch({ executablePath, args: QUIET_CHROMIUM })
          const result = await inTime(measure(browser, sink, it, slowdown), () => browser.close())
          if (result) measured.get(it.name)?.push(result)
          else tooLong.add(it.name)
          done(`${title}, round ${round + 1}, ${it.name}: ${result ? JSON.stringify(result) : 'took too long'}`)
        }
      const rows = bundles.map(it => [it.name, ...cells(it, tooLong.has(it.name) ? [] : (measured.get(it.name) ?? []))])
      tables.push(`${title}${rounds > 1 ? `, medians of ${rounds} rounds` : ''}:\n\n${markdownTable(HEADER, rows)}`)
    }
  } finally {
    sink.stop()
  }
  return `## SDK: weight, and ${whole(EVENTS)} events in one task\n\n${await weights()}\n\n${tables.join('\n\n')}`
}

/**
 * Resolves to the result of `work`, or undefined when it takes too long; then, as always at the end, `close` ends what
 * it works with.
 */
async function inTime<T>(work: Promise<T>, close: () => Promise<void>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, LIMIT_MS, undefined)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
    // It fails without its browser, which is no longer waited for.
    work.catch(() => {})
    await close()
  }
}

const HEADER = [
  '',
  'KB brotli',
  'load + init ms',
  'with the next task ms',
  'blocking ms',
  'next 6 s: main thread ms',
  'requests in 10 s',
  'KB sent',
  'events arrived',
]

function cells({ bytes }: Bundle, rounds: Measured[]): string[] {
  if (!rounds.length) return [(bytes / 1_024).toFixed(1), `over ${LIMIT_MS / 1_000} s`]
  const median = (field: keyof Measured) =>
    percentile(
      rounds.map(round => round[field]),
      0.5,
    )
  return [
    (bytes / 1_024).toFixed(1),
    milliseconds(median('loadMs')),
    milliseconds(median('startMs')),
    milliseconds(median('blockingMs')),
    milliseconds(median('afterMs')),
    whole(median('requests')),
    (median('bytes') / 1_000).toFixed(0),
    whole(median('events')),
  ]
}

/** Returns the table of the size check, which is a script of the SDK's build. */
async function weights(): Promise<string> {
  const script = fileURLToPath(new URL('../../../sdk/build/sizes.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--json'])
  const sizes = JSON.parse(stdout) as { entry: string; bytes: number; budget: number }[]
  return markdownTable(
    ['bytes after brotli', 'measured', 'budget'],
    sizes.map(({ entry, bytes, budget }) => [`\`${entry}\``, whole(bytes), whole(budget)]),
  )
}
