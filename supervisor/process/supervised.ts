import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { pause, SECRETS_FD } from '@slotstream/runtime'
import { PRIVATE_UMASK } from '../data/data-folder.js'
import type { Owner } from '../data/private-file.js'
import { pauseAfter, WELL_AFTER_MS } from './back-off.js'
import { noteShareOf } from './processor-share.js'
import { watch } from './watchdog.js'
import { yieldProcessor } from './yield-processor.js'

/** One program that `npm start` keeps running. */
export interface ServiceSpec {
  name: string
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** Where its output goes. */
  logFile: string
  /** Resolves to whether it does its work now. */
  isReady: () => Promise<boolean>
  /** Resolves to whether it gives a sign of life. One that is stuck is ended and started again. */
  answers: () => Promise<boolean>
  /** Whether it is one of our Node programs, which end when the supervisor is gone. */
  ours: boolean
  /** Secrets that it is given by a pipe, so that no other process sees it (`secretSetting`). */
  secrets?: Record<string, string>
  /** User that it runs as, when not this process's. */
  owner?: Owner
  /** Permissions that its new files lack, when they are not to be its user's alone. */
  umask?: number
  /**
   * Resolves to whether it gives way to the other services, from then on, when the processor is short. Default: never
   */
  givesWay?: () => Promise<boolean>
}

export interface ServiceEvents {
  started(name: string, pid: number): void
  ready(name: string): void
  /** Called when it ended without being asked to; it starts again after `pauseMs`. */
  died(name: string, how: string, pauseMs: number): void
  /** Called when it ran, gave no sign of life for as long as it may (`watchdog.ts`), and is killed. */
  stuck(name: string): void
}

/** How often readiness is asked for, in milliseconds. */
const READY_POLL_MS = 50

/** How often it is asked whether a service gives way now, in milliseconds. */
const GIVES_WAY_POLL_MS = 500

/** How long a service may take to end after SIGTERM before it is killed, in milliseconds. */
const STOP_DEADLINE_MS = 12_000

/** Starts a program, tells when it is ready, starts it again when it ends, until it is stopped. */
export function supervise(spec: ServiceSpec, events: ServiceEvents) {
  let child: ChildProcess | undefined
  let stopping = false
  let failures = 0
  let restart: NodeJS.Timeout | undefined
  let unwatch = () => {}

  function start() {
    const startedAt = Date.now()
    mkdirSync(dirname(spec.logFile), { recursive: true })
    const log = openSync(spec.logFile, 'a')
    // Its own process group: Ctrl-C in the terminal reaches the supervisor alone, which then stops the services in
    // order.
    const running = launch(spec, log)
    child = running
    closeSync(log)
    let over = false
    const isOver = () => over || stopping
    const ended = (how: string) => {
      if (over) return
      over = true
      unwatch()
      if (stopping) return
      failures = Date.now() - startedAt > WELL_AFTER_MS ? 1 : failures + 1
      const pauseMs = pauseAfter(failures)
      events.died(spec.name, how, pauseMs)
      restart = setTimeout(start, pauseMs)
    }
    running.once('error', error => ended(error.message))
    running.once('exit', (code, signal) => ended(signal ? `signal ${signal}` : `exit code ${code}`))
    if (running.pid !== undefined) {
      void giveWay(spec, running.pid, isOver)
      events.started(spec.name, running.pid)
    }
    void untilMet(spec.isReady, READY_POLL_MS, isOver).then(isReady => {
      if (!isReady) return
      events.ready(spec.name)
      const onStuck = () => {
        events.stuck(spec.name)
        running.kill('SIGKILL')
      }
      unwatch = watch(spec.answers, onStuck, () => noteShareOf(running.pid ?? 0))
    })
  }

  start()
  return {
    name: spec.name,
    /** Ends the program: SIGTERM, and SIGKILL if it doesn't heed that. Resolves when it is gone. */
    async stop(): Promise<void> {
      stopping = true
      unwatch()
      clearTimeout(restart)
      const running = child
      if (!running || running.exitCode !== null || running.signalCode !== null || running.pid === undefined) return
      const gone = new Promise<void>(resolve => running.once('exit', () => resolve()))
      running.kill('SIGTERM')
      const kill = setTimeout(() => running.kill('SIGKILL'), STOP_DEADLINE_MS)
      await gone
      clearTimeout(kill)
    },
  }
}

/** Gives a service the lowest priority as soon as it gives way. */
async function giveWay({ givesWay }: ServiceSpec, pid: number, isOver: () => boolean): Promise<void> {
  if (givesWay && (await untilMet(givesWay, GIVES_WAY_POLL_MS, isOver))) await yieldProcessor(pid)
}

/** Resolves to true when a condition is met, and to false when it is over before. */
async function untilMet(isMet: () => Promise<boolean>, pollMs: number, isOver: () => boolean): Promise<boolean> {
  while (!isOver()) {
    if (await isMet().catch(() => false)) return !isOver()
    await pause(pollMs)
  }
  return false
}

/** Descriptor of the pipe for secrets: after the usual three, and the channel that tells our programs of our end. */
const PIPE_FD = 4

function launch({ command, args, env, ours, secrets, owner, umask = PRIVATE_UMASK }: ServiceSpec, log: number) {
  // The child inherits it at once; nothing else runs meanwhile.
  const ownUmask = process.umask(umask)
  try {
    const child = spawn(command, args, {
      env: { ...env, ...(secrets ? { [SECRETS_FD]: String(PIPE_FD) } : {}) },
      detached: true,
      stdio: ['ignore', log, log, ours ? 'ipc' : 'ignore', ...(secrets ? (['pipe'] as const) : [])],
      ...(owner ? { uid: owner.uid, gid: owner.gid, cwd: '/' } : {}),
    })
    const pipe = child.stdio[PIPE_FD] as Writable | undefined
    // A child that ended already is told of elsewhere.
    pipe?.on('error', () => {})
    pipe?.end(JSON.stringify(secrets))
    return child
  } finally {
    process.umask(ownUmask)
  }
}

export type Supervised = ReturnType<typeof supervise>
