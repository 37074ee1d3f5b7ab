import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePorts } from './free-ports.js'

const PROGRAM = fileURLToPath(new URL('../../aggregator/dist/main.js', import.meta.url))

/** What is shared: partitions, and streams. */
export type Group = 'profiles' | 'warehouse' | 'batch'

/** How many of a group's resources the aggregator at `url` holds; undefined before it shares them. */
export async function heldBy(url: string, group: Group): Promise<number | undefined> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(2_000) })
  const line = new RegExp(`^slotstream_ownership_held\\{group="${group}"\\} (\\d+)$`, 'm')
  const found = line.exec(await response.text())?.[1]
  return found === undefined ? undefined : Number(found)
}

/** Whether all of them are held, and none holds more than one more than another. */
export function isEven(held: (number | undefined)[], resources: number): boolean {
  const known = held.map(count => count ?? -1)
  return known.reduce((sum, count) => sum + count, 0) === resources && Math.max(...known) - Math.min(...known) <= 1
}

/** An aggregator as a program of its own, which is not started again when it ends. */
export async function startAggregator(env: NodeJS.ProcessEnv, args: string[] = []) {
  const [port] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const output: string[] = []
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...args], {
    env: { PATH: process.env.PATH, LOG_LEVEL: 'info', AGGREGATOR_PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout?.on('data', chunk => output.push(String(chunk)))
  child.stderr?.on('data', chunk => output.push(String(chunk)))
  const exited = new Promise<number | null>(resolve => child.once('close', resolve))

  return {
    url,
    output: () => output.join(''),
    exited,
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    /** How many of a group's resources it holds; undefined before it shares them. */
    share: (group: Group) => heldBy(url, group),
    /** What it still waits for. */
    async missing(): Promise<string> {
      return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })).text()
    },
    /** Ends it; resolves to the exit code. */
    end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
      child.kill('SIGCONT')
      child.kill(signal)
      return exited
    },
  }
}

export type Aggregator = Awaited<ReturnType<typeof startAggregator>>
