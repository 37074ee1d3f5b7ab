import type { Circumstances } from '../plan.js'
import { candidates } from './candidates.js'
import type { Machine } from './machine.js'

/** Commands that a plan or its advice may ask for. */
const commands = ['apt-get', 'dpkg-deb', 'systemctl', 'brew', 'dnf', 'apk']

/** Looks once what the plan needs to know of a machine. */
export async function circumstances(machine: Machine): Promise<Circumstances> {
  const present = new Set<string>()
  for (const command of commands)
    for (const path of candidates(machine, [command])) if (await machine.isExecutable(path)) present.add(command)
  const { platform, arch, isRoot, env } = machine
  return { platform, arch, isRoot, env, has: command => present.has(command) }
}
