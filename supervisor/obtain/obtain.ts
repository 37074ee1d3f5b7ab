import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigurationError } from '@slotstream/runtime'
import { download, reach } from './download.js'
import { describe, failureMemory } from './failure-memory.js'
import { executableName } from './machine/candidates.js'
import type { Machine } from './machine/machine.js'
import type { Command, Step } from './plan.js'

/** Hears, in a line each, of what takes time. */
export type ObtainLog = (text: string) => unknown

/** A program to obtain. */
export interface Program {
  /** Its file name, without `.exe`. */
  name: string
  /** Name of the program and its version, for the error: "nats-server 2.9 or later". */
  wanted: string
  /**
   * Resolves to why the program at this path won't do, or nothing when it will; `preferred`: is as good as a newer one.
   */
  objection(path: string, preferred?: boolean): Promise<string | undefined>
  /** Commands to type on this machine when nothing worked, and other ways out: the end of the error. */
  advice: string
}

/**
 * A program was neither found nor obtained. The message names every way that was tried, why it failed, and what to
 * type.
 */
export class ProgramMissingError extends Error {
  override name = 'ProgramMissingError'
  readonly code = 'program_missing'
}

/**
 * Walks the steps until one yields a usable program and resolves to its absolute path.
 * What is fetched is put aside in `binFolder`, looked over, and only then takes its place by a rename,
 * so an interrupted or rejected fetch leaves nothing that a later start would find.
 * Throws ConfigurationError when the path that the user named is no good, ProgramMissingError when no step helps.
 */
export async function obtain(
  program: Program,
  steps: readonly Step[],
  { machine, binFolder, log }: { machine: Machine; binFolder: string; log: ObtainLog },
): Promise<string> {
  const failures: string[] = []
  const memory = failureMemory(join(binFolder, '..', `.${program.name}-download-failed`))
  for (const step of steps) {
    if (step.kind === 'given') return checkNamed(step)
    try {
      return await take(step)
    } catch (error) {
      failures.push(`  - ${step.what}: ${describe(error)}`)
    }
  }
  throw new ProgramMissingError(
    `${program.wanted} was not found and could not be obtained:\n${failures.join('\n')}\n${program.advice}`,
  )

  async function checkNamed({ variable, path }: Step & { kind: 'given' }): Promise<string> {
    const problem = (await machine.isExecutable(path)) ? await program.objection(path) : 'no program is there'
    if (problem) throw new ConfigurationError(`${variable} is "${path}": ${problem}. Correct it, or unset it to search`)
    return resolve(path)
  }

  async function take(step: Exclude<Step, { kind: 'given' }>): Promise<string> {
    switch (step.kind) {
      case 'closed':
        throw new Error(step.why)
      case 'look':
        return look(step.paths, step.preferred)
      case 'install':
        log(`${program.name} is missing: running "${step.command.join(' ')}", which can take minutes`)
        await runRefreshing(step.command, step.refresh)
        return look(step.paths)
      case 'unpack':
        log(`${program.name} is missing: taking it out of the package ${step.package} with apt-get`)
        return staged(async folder => {
          await runRefreshing(['apt-get', 'download', step.package], step.refresh, folder)
          // The package's file name holds its version, so let the shell's pattern find it.
          await machine.run('sh', ['-c', 'dpkg-deb -x ./*.deb .'], { cwd: folder })
          return join(folder, step.member)
        })
      case 'release':
        return memory.attempt({ evenIfFailed: step.last ?? false }, async () => {
          await reach(step.asset.url, machine)
          log(`${program.name} is missing: downloading ${step.asset.url}`)
          return staged(folder => download(step.asset, folder, executableName(machine.platform, program.name), machine))
        })
    }
  }

  async function look(paths: readonly string[], preferred?: boolean): Promise<string> {
    const objections: string[] = []
    for (const path of paths) {
      if (!(await machine.isExecutable(path))) continue
      const objection = await program.objection(path, preferred)
      if (!objection) return path
      objections.push(`${path}: ${objection}`)
    }
    throw new Error(objections.join('; ') || 'not there')
  }

  async function runRefreshing(command: Command, refresh: Command | undefined, cwd?: string): Promise<void> {
    // A package manager that asks a question would wait for ever: there may be no one at the terminal.
    const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, ...(cwd ? { cwd } : {}) }
    const attempt = ([name, ...args]: Command) => machine.run(name, args, options)
    try {
      await attempt(command)
    } catch (error) {
      if (!refresh) throw error
      // Lists that are missing or name a version the mirror has dropped look like any other failure.
      await attempt(refresh)
      await attempt(command)
    }
  }

  async function staged(fetchInto: (folder: string) => Promise<string>): Promise<string> {
    await mkdir(binFolder, { recursive: true })
    const folder = await mkdtemp(join(binFolder, '.obtain-'))
    try {
      const fetched = await fetchInto(folder)
      const objection = (await machine.isExecutable(fetched))
        ? await program.objection(fetched)
        : 'what was fetched holds no such program'
      if (objection) throw new Error(objection)
      const place = join(binFolder, executableName(machine.platform, program.name))
      // A user of its own may run it.
      await chmod(fetched, 0o755)
      await rename(fetched, place)
      return place
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}
