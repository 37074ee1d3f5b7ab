import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

/** How soon a program that died is started again, in milliseconds. */
const RESTART_MS = 300

export interface ProgramSpec {
  name: string
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  logFile: string
  /** Whether it is one of our Node programs, which end when the process that started them is gone. */
  ours: boolean
}

/** A program that is kept running, as a supervisor does, and can be maltreated. */
export function runProgram({ name, command, args, env, logFile, ours }: ProgramSpec) {
  let child: ChildProcess | undefined
  let wanted = true
  let starts = 0
  let restart: NodeJS.Timeout | undefined

  function start() {
    const log = openSync(logFile, 'a')
    const running = spawn(command, args, { env, stdio: ['ignore', log, log, ...(ours ? (['ipc'] as const) : [])] })
    closeSync(log)
    child = running
    starts++
    running.once('exit', () => {
      if (wanted) restart = setTimeout(start, RESTART_MS)
    })
  }

  const alive = () => child !== undefined && child.exitCode === null && child.signalCode === null

  start()
  return {
    name,
    /** How often it was started. */
    starts: () => starts,
    /** The end of what it logged. */
    log: () => readFileSync(logFile, 'utf8').slice(-4_000),
    /** Ends it with SIGKILL; it is started again. */
    kill: () => child?.kill('SIGKILL'),
    /** Ends it with SIGTERM; it is started again. */
    restart: () => child?.kill('SIGTERM'),
    pause: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
    /** Ends it for good. */
    async stop(): Promise<void> {
      wanted = false
      clearTimeout(restart)
      if (!alive()) return
      const gone = new Promise(resolve => child?.once('exit', resolve))
      child?.kill('SIGCONT')
      child?.kill('SIGTERM')
      const impatient = setTimeout(() => child?.kill('SIGKILL'), 15_000)
      await gone
      clearTimeout(impatient)
    },
  }
}

export type Program = ReturnType<typeof runProgram>
