import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
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

/** A real nginx in front of collectors, set up as docs/collector.md says. */
export async function startNginx(collectorPorts: readonly number[]) {
  const program = await obtainNginx()
  const [port] = await freePorts(1)
  const folder = await mkdtemp(join(tmpdir(), 'slotstream-nginx-'))
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/${name};`)
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; ${paths.join(' ')}
  upstream collectors {
    ${collectorPorts.map(at => `server 127.0.0.1:${at} max_fails=0;`).join('\n    ')}
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 1m;
    location / {
      proxy_pass http://collectors;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Request-Id $request_id;
      proxy_next_upstream error timeout http_503 non_idempotent;
    }
  }
}
`,
  )
  const child = spawn(program, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdio: 'ignore',
  })
  const gone = new Promise(resolve => child.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  await until(
    'nginx answers',
    () => fetch(`${url}/healthz`),
    response => response.ok,
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
