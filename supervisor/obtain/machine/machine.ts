import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'

/** The machine that a program is obtained for. Tests pass one of their own. */
export interface Machine {
  platform: NodeJS.Platform
  /** Processor, in Node's words: `x64`, `arm64` … */
  arch: string
  isRoot: boolean
  env: Readonly<Record<string, string | undefined>>
  /** Tells whether there is a file that may be executed. */
  isExecutable(path: string): Promise<boolean>
  /** Runs a command to its end and resolves to what it printed. Rejects with its last line of complaint. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<string>
  fetch(url: string, options?: FetchOptions): Promise<Response>
}

export interface FetchOptions extends Pick<RequestInit, 'method' | 'redirect'> {
  /** When to give up, in milliseconds; default 10 minutes. */
  timeoutMs?: number
}

export interface RunOptions {
  cwd?: string
  /** Variables besides those of this process. */
  env?: Readonly<Record<string, string>>
  /** When to give up, in milliseconds; default 15 minutes. */
  timeoutMs?: number
}

// Long enough for a package of 100 MB over a slow line; an end, so that a stalled mirror can't hold up the start
// forever.
const commandTimeoutMs = 15 * 60_000
const downloadTimeoutMs = 10 * 60_000

/** Returns the machine that this process runs on. */
export function thisMachine(): Machine {
  return {
    platform: process.platform,
    arch: process.arch,
    isRoot: process.getuid?.() === 0,
    env: process.env,
    isExecutable,
    run,
    fetch: (url, { timeoutMs = downloadTimeoutMs, ...options } = {}) =>
      fetch(url, { ...options, signal: AbortSignal.timeout(timeoutMs) }),
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

function run(
  command: string,
  args: readonly string[],
  { cwd, env, timeoutMs = commandTimeoutMs }: RunOptions = {},
): Promise<string> {
  const options = { cwd, env: { ...process.env, ...env }, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 }
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout + stderr)
      const complaint = error.killed
        ? `stopped after ${timeoutMs / 1000} s without an end`
        : (lastLine(stderr) ?? lastLine(stdout) ?? error.message)
      reject(new Error(`"${[command, ...args].join(' ')}" failed: ${complaint}`, { cause: error }))
    })
  })
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1)?.trim() || undefined
}
