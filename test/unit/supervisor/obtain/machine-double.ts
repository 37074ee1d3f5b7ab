import { access, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { Machine, RunOptions } from '#supervisor/obtain/machine/machine.js'

export interface Ran {
  line: string
  options: RunOptions | undefined
}

/**
 * A machine of make-believe: `versions` are the programs that are there, with what they print for `--version`;
 * `on` answers other commands by their first words. Files that a test writes among the temporary ones exist too.
 */
export function machineDouble({
  versions = {},
  on = {},
  ...rest
}: Partial<Omit<Machine, 'run' | 'isExecutable'>> & {
  versions?: Record<string, string>
  on?: Record<string, (options: RunOptions | undefined) => string | Promise<string>>
} = {}) {
  const ran: Ran[] = []
  const machine: Machine = {
    platform: 'linux',
    arch: 'x64',
    isRoot: false,
    env: { PATH: '/usr/bin:/bin' },
    isExecutable: async path => path in versions || (path.startsWith(tmpdir()) && (await exists(path))),
    async run(command, args, options) {
      if (args[0] === '--version') {
        const printed = versions[command] ?? versions['*']
        if (printed === undefined) throw new Error(`"${command} --version" failed: it is broken`)
        return printed
      }
      const line = [command, ...args].join(' ')
      ran.push({ line, options })
      const answer = Object.entries(on).find(([start]) => line.startsWith(start))
      if (!answer) throw new Error(`"${line}" failed: not expected`)
      return answer[1](options)
    },
    fetch: async () => {
      throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND example.test') })
    },
    ...rest,
  }
  return { machine, versions, lines: () => ran.map(each => each.line), ran }
}

/** Writes what stands for a program. */
export function writeProgram(path: string): Promise<void> {
  return writeFile(path, '#!/bin/sh\n', { mode: 0o755 })
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
