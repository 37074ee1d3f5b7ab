import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** Processes of a bench, which end with it. */
export interface Children {
  start(command: string, args: string[], env?: NodeJS.ProcessEnv): ChildProcess
  /** Ends one. Resolves when it has ended. */
  end(child: ChildProcess): Promise<void>
  /** Ends all, the latest first. */
  endAll(): Promise<void>
}

/** Creates the list of processes, empty. */
export function createChildren(): Children {
  const running: ChildProcess[] = []

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }

  return {
    start(command, args, env = {}) {
      const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'ignore' })
      running.push(child)
      return child
    },
    end,
    async endAll() {
      for (const child of running.reverse()) await end(child)
    },
  }
}
