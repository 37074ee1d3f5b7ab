import { spawn } from 'node:child_process'
import type { Visit } from './engine.js'

/** Starts a browser in a group of processes of its own, so that all of them can be killed at once. */
export function visitWith(program: string, args: string[], env: NodeJS.ProcessEnv = {}): Visit {
  const child = spawn(program, args, { detached: true, stdio: 'ignore', env: { ...process.env, ...env } })
  const gone = new Promise(resolve => child.once('exit', resolve))
  return {
    async kill() {
      if (child.pid && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL')
      await gone
    },
  }
}
