import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The program, as built. */
export const MAIN = fileURLToPath(new URL('../../clickhouse/dist/main.js', import.meta.url))

/** Of the read-write user of servers that are started here. */
export const PASSWORD = 'not a secret'

/** An embedded ClickHouse server in a process of its own. */
export interface Running {
  process: ChildProcess
  url: string
}

const started: ChildProcess[] = []

/** Starts the built program on a free port and waits for its line that says where. */
export async function start(dataFolder: string, environment: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      CLICKHOUSE_PORT: '0',
      CLICKHOUSE_DATA_DIR: dataFolder,
      CLICKHOUSE_PASSWORD: PASSWORD,
      UV_THREADPOOL_SIZE: '16',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk
      const found = /"url":"([^"]+)"/.exec(output)
      if (found) resolve(found[1]!)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('close', code => reject(new Error(`exit code ${code}: ${output}`)))
  })
  return { process: child, url }
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exited = once(child, 'exit')
  child.kill(signal)
  const [code] = await exited
  return code as number | null
}

/** Ends whatever still runs. */
export async function stopAll(): Promise<void> {
  const left = started.filter(child => child.exitCode === null && child.signalCode === null)
  await Promise.all(left.map(child => stop(child, 'SIGKILL')))
}
