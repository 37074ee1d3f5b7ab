import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePorts } from './free-ports.js'

const PROGRAM = fileURLToPath(new URL('../../aggregator/dist/main.js', import.meta.url))

/** What a test needs to know of an aggregator's share. */
export type Share = 'held' | 'unowned' | 'members'

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
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve))

  return {
    url,
    output: () => output.join(''),
    exited,
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    /** One of the numbers that say how a group shares; undefined before it does. */
    async share(group: 'profiles' | 'warehouse', what: Share): Promise<number | undefined> {
      const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(2_000) })
      const line = new RegExp(`^slotstream_ownership_${what}\\{group="${group}"\\} (\\d+)$`, 'm')
      const found = line.exec(await response.text())?.[1]
      return found === undefined ? undefined : Number(found)
    },
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
