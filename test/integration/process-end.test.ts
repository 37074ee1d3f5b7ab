import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const RUNTIME = new URL('../../runtime/dist/index.js', import.meta.url).href
const folder = mkdtempSync(join(tmpdir(), 'slotstream-end-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('a service that does not stop in time ends all the same, though a thread of its pool is busy for ever', async () => {
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const program = join(folder, 'blocked.mjs')
  // A named pipe without a writer keeps the thread that opens it, as a query of the engine does that cannot be cancelled.
  writeFileSync(
    program,
    `import { open } from 'node:fs'
     import { runProcess } from ${JSON.stringify(RUNTIME)}
     await runProcess('blocked', async () => {
       open(${JSON.stringify(pipe)}, 'r', () => {})
       return { stop: () => new Promise(() => {}) }
     })
     console.log('up')`,
  )
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  const up = new Promise<void>(resolve => {
    child.stdout.on('data', chunk => {
      output += chunk
      if (output.includes('up')) resolve()
    })
  })
  await up
  // Not 'exit', which may come before the last of the output is read.
  const ended = once(child, 'close')
  child.kill('SIGTERM')
  expect(await ended).toEqual([null, 'SIGKILL'])
  expect(output).toContain('did not stop within 10000 ms: killed')
})
