import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { currentNatsServer } from './current-nats-server.js'
import { freePorts } from './free-ports.js'
import { until } from './until.js'

/**
 * A real nats-server with file-backed JetStream on a free port, its data in a temporary folder. It can be killed and
 * started again on the same port with the same data; `stop` ends it and deletes the data.
 *
 * @param options.storeDir where its data are to be, when they are used afterwards
 */
export async function startNatsServer(options: { storeDir?: string } = {}) {
  const program = await currentNatsServer(console.log)
  const [port] = await freePorts(1)
  const storeDir = options.storeDir ?? (await mkdtemp(join(tmpdir(), 'slotstream-nats-')))
  let running: ChildProcess | undefined

  async function start(): Promise<void> {
    running = spawn(program, ['-js', '-sd', storeDir, '-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
    await until('nats-server listens', () => listens(port as number), Boolean)
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const ending = running
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const gone = new Promise(resolve => ending.once('exit', resolve))
    ending.kill(signal)
    if (signal !== 'SIGSTOP') return void (await gone)
    // The kernel stops its threads one after the other: what comes meanwhile may still be answered.
    await until('nats-server stands still', () => isStopped(ending.pid!), Boolean)
  }

  await start()
  return {
    url: `nats://127.0.0.1:${port}`,
    start,
    kill,
    /** Lets it go on after `kill('SIGSTOP')`. */
    resume: () => running?.kill('SIGCONT'),
    async stop(): Promise<void> {
      await kill('SIGTERM')
      await rm(storeDir, { recursive: true, force: true })
    },
  }
}

async function isStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => undefined)
  if (!threads) return true
  const states = await Promise.all(threads.map(thread => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')))
  return states.every(state => / T /.test(state))
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
