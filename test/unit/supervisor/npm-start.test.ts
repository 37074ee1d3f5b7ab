import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'

const { scripts } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../../package.json', import.meta.url)), 'utf8'),
) as { scripts: Record<string, string> }

/** A program that says that it runs, and ends in order when it is told to; after a while by itself. */
const PROGRAM =
  "process.on('SIGTERM', () => { console.log('told'); process.exit(0) }); console.log('runs'); setTimeout(() => {}, 30_000)"

it.each(['start', 'micro'])('npm passes SIGTERM on to the program of its script "%s"', async name => {
  const folder = mkdtempSync(join(tmpdir(), 'slotstream-npm-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'program.js'), PROGRAM)
  // The script as it is, with nothing to build and another program.
  const script = scripts[name]!.replace('npm run --silent build', 'true').replace(/node \S+\.js/, 'node program.js')
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { [name]: script } }))
  const npm = spawn('npm', ['run', name], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  const running = new Promise<void>(resolve => {
    npm.stdout.on('data', chunk => {
      output += chunk
      if (output.includes('runs')) resolve()
    })
  })
  const ended = once(npm.stdout, 'end')
  await running
  npm.kill('SIGTERM')
  await ended
  expect(output).toContain('told')
})
