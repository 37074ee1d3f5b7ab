import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient } from 'redis'
import { freePorts } from './free-ports.js'
import { until } from './until.js'

/** Whether `redis-server` is on PATH, as the package manager installs it: `apt-get install redis-server`. */
export async function hasRedis(): Promise<boolean> {
  const found = await promisify(execFile)('redis-server', ['--version']).then(
    () => true,
    () => false,
  )
  if (!found) console.warn('redis-server is not on PATH: the tests of profiles in Redis are skipped')
  return found
}

/** A real Redis on a free port that writes everything into a temporary folder. It can be killed and started again. */
export async function startRedisServer(password = '') {
  const [port] = await freePorts(1)
  const folder = await mkdtemp(join(tmpdir(), 'slotstream-redis-'))
  const url = `redis://${password === '' ? '' : `:${password}@`}127.0.0.1:${port}/0`
  let running: ChildProcess | undefined

  async function start(): Promise<void> {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
    running = spawn(
      'redis-server',
      [...options, '--appendonly', 'yes', '--appendfsync', 'always', '--requirepass', password],
      {
        stdio: 'ignore',
      },
    )
    const answers = async () => {
      const client = createClient({ url, socket: { reconnectStrategy: false } }).on('error', () => {})
      try {
        await client.connect()
        return (await client.ping()) === 'PONG'
      } finally {
        if (client.isOpen) client.destroy()
      }
    }
    await until('redis-server answers', answers, Boolean)
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const ending = running
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const gone = new Promise(resolve => ending.once('exit', resolve))
    ending.kill(signal)
    await gone
  }

  await start()
  return {
    url,
    start,
    kill,
    async stop(): Promise<void> {
      await kill('SIGTERM')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
