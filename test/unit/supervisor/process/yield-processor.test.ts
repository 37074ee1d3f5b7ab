import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { expect, it } from 'vitest'
import { yieldProcessor } from '#supervisor/process/yield-processor.js'

const sessions = existsSync('/proc/self/autogroup')

function sleeper() {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  if (child.pid === undefined) throw new Error('sleep could not be started')
  return { pid: child.pid, kill: () => child.kill('SIGKILL') }
}

it('gives a process the lowest priority, though it is a session of its own', async context => {
  if (!sessions) return context.skip('this system has no /proc/self/autogroup')
  // Two at once: the kernel refuses a second change within 100 ms, unless root asks.
  const both = [sleeper(), sleeper()]
  try {
    await Promise.all(both.map(({ pid }) => yieldProcessor(pid)))
    for (const { pid } of both) {
      expect(getPriority(pid)).toBe(19)
      expect(readFileSync(`/proc/${pid}/autogroup`, 'utf8')).toMatch(/ nice 19\n$/)
    }
  } finally {
    for (const { kill } of both) kill()
  }
})
