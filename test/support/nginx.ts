import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { candidates } from '#supervisor/obtain/machine/candidates.js'
import { circumstances } from '#supervisor/obtain/machine/circumstances.js'
import { thisMachine } from '#supervisor/obtain/machine/machine.js'
import { obtain } from '#supervisor/obtain/obtain.js'
import type { Step } from '#supervisor/obtain/plan.js'
import { freePorts } from './free-ports.js'
import { until } from './until.js'

/** nginx as it is found, or taken out of Debian's or Ubuntu's package without installing a service. */
async function obtainNginx(): Promise<string> {
  const machine = thisMachine()
  const at = await circumstances(machine)
  const refresh = at.isRoot ? { refresh: ['apt-get', 'update'] as const } : {}
  const packaged = ['nginx', 'nginx-core', 'nginx-light'].map(
    (name): Step => ({ kind: 'unpack', what: `package ${name}`, package: name, member: 'usr/sbin/nginx', ...refresh }),
  )
  const paths = candidates(at, ['nginx'], ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'])
  const steps: Step[] = [{ kind: 'look', what: 'PATH and the folders of servers', paths }, ...packaged]
  const program = {
    name: 'nginx',
    wanted: 'nginx',
    objection: async () => undefined,
    advice: 'Type this, then start again:\n  apt-get install -y --no-install-recommends nginx-light',
  }
  return obtain(program, steps, { machine, binFolder: join(tmpdir(), 'slotstream-tools', 'bin'), log: console.log })
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
    socket.unref().once('connect', () => socket.destroy())
  })
}

/** The configuration that docs/collector.md has. */
const DOCUMENTED = readFileSync(new URL('../../docs/collector.md', import.meta.url), 'utf8')
  .split('```nginx\n')[1]!
  .split('```')[0]!

/**
 * A real nginx in front of collectors, set up as docs/collector.md says, without TLS unless a certificate is given.
 *
 * @param tls paths of a certificate and its key
 */
export async function startNginx(collectorPorts: readonly number[], tls?: { cert: string; key: string }) {
  const program = await obtainNginx()
  const [port] = await freePorts(1)
  const folder = await mkdtemp(join(tmpdir(), 'slotstream-nginx-'))
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/${name};`)
  const documented = DOCUMENTED.replace(
    /( *server 127.*;\n)+/,
    collectorPorts.map(at => `  server 127.0.0.1:${at} max_fails=0;\n`).join(''),
  )
  const ours = tls
    ? documented
        .replace('listen 443', `listen 127.0.0.1:${port}`)
        .replace('/etc/nginx/collectors.pem', tls.cert)
        .replace('/etc/nginx/collectors.key', tls.key)
    : documented.replace(/listen 443 ssl;\n.*;\n.*;\n/, `listen 127.0.0.1:${port};\n`)
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; ${paths.join(' ')}
${ours}}
`,
  )
  const child = spawn(program, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdio: 'ignore',
  })
  const gone = new Promise(resolve => child.once('exit', resolve))
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
  await until(
    'nginx listens',
    () => answers(port!),
    found => found,
  )
  return {
    url,
    async stop(): Promise<void> {
      child.kill('SIGTERM')
      await gone
      await rm(folder, { recursive: true, force: true })
    },
  }
}
