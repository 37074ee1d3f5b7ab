import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { currentNatsServer } from './current-nats-server.js'
import { freePorts } from './free-ports.js'

const OPERATING = new URL('../../docs/operating.md', import.meta.url)
const NAMES = ['nats-1', 'nats-2', 'nats-3'] as const

/** The user of the example. */
export const CLUSTER_USER = { user: 'slotstream', password: 'a long random one' }

/**
 * Three nats-servers as the example in docs/operating.md has them, with a user and TLS, on this machine. Each can be
 * killed and started again.
 */
export async function startNatsCluster() {
  const program = await currentNatsServer(console.log)
  const dir = mkdtempSync(join(tmpdir(), 'slotstream-cluster-'))
  const ports = await freePorts(6)
  const caFile = makeCertificates(dir)
  const example = /```\n(server_name: "nats-1"[\s\S]*?)```/.exec(readFileSync(OPERATING, 'utf8'))?.[1]
  if (!example) throw new Error('docs/operating.md has no example of a cluster')

  const servers = NAMES.map((name, index) => {
    const config = join(dir, `${name}.conf`)
    writeFileSync(config, onThisMachine(example, { index, dir, ports }))
    return createServer(program, config, join(dir, `${name}.log`))
  })
  for (const server of servers) server.start()
  return {
    servers,
    urls: ports.slice(0, 3).map(port => `tls://127.0.0.1:${port}`),
    caFile,
    version: execFileSync(program, ['--version'], { encoding: 'utf8' }),
    async stop(): Promise<void> {
      for (const server of servers) await server.kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export type NatsCluster = Awaited<ReturnType<typeof startNatsCluster>>

function createServer(program: string, config: string, logFile: string) {
  let running: ChildProcess | undefined
  return {
    start(): void {
      const log = openSync(logFile, 'a')
      running = spawn(program, ['-c', config], { stdio: ['ignore', log, log] })
      closeSync(log)
    },
    async kill(): Promise<void> {
      const ending = running
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
      const gone = new Promise(resolve => ending.once('exit', resolve))
      ending.kill('SIGKILL')
      await gone
    },
    isAlive: () => running !== undefined && running.exitCode === null && running.signalCode === null,
    log: () => readFileSync(logFile, 'utf8'),
  }
}

/** The example's file for one of the servers, with ports and paths that are free here. */
function onThisMachine(
  example: string,
  { index, dir, ports }: { index: number; dir: string; ports: number[] },
): string {
  const name = NAMES[index]!
  const routes = NAMES.reduce(
    (text, other, i) => text.replace(`tls://${other}:6222`, `tls://127.0.0.1:${ports[3 + i]}`),
    example,
  )
  return routes
    .replaceAll('nats-1', name)
    .replace('0.0.0.0:4222', `127.0.0.1:${ports[index]}`)
    .replace('0.0.0.0:6222', `127.0.0.1:${ports[3 + index]}`)
    .replaceAll('/etc/nats/', `${dir}/`)
    .replaceAll('/data/nats', join(dir, `data-${name}`))
}

/** An authority and a certificate for each server, by openssl; resolves to the authority's file. */
function makeCertificates(dir: string): string {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
  const key = ['-newkey', 'rsa:2048', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority')
  for (const name of NAMES) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    writeFileSync(join(dir, 'san'), `subjectAltName=DNS:${name},DNS:localhost,IP:127.0.0.1\n`)
    const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
    openssl('x509', '-req', '-in', `${name}.csr`, ...authority, '-days', '2', '-extfile', 'san', '-out', `${name}.pem`)
  }
  return join(dir, 'ca.pem')
}
