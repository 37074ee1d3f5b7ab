import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { candidates } from '#supervisor/obtain/machine/candidates.js'
import { circumstances } from '#supervisor/obtain/machine/circumstances.js'
import { thisMachine } from '#supervisor/obtain/machine/machine.js'
import { obtain } from '#supervisor/obtain/obtain.js'
import type { Step } from '#supervisor/obtain/plan.js'

/**
 * Finds a program that only tests need, or installs its Debian package, which needs root; resolves to its absolute
 * path.
 *
 * @param folders where it may be beside PATH
 * @throws ProgramMissingError when it isn't there and can't be installed
 */
export async function obtainProgram(names: string[], packageName: string, folders: string[] = []): Promise<string> {
  const machine = thisMachine()
  const at = await circumstances(machine)
  const paths = candidates(at, names, folders)
  const install: Step =
    at.isRoot && at.has('apt-get')
      ? {
          kind: 'install',
          what: 'apt-get',
          command: ['apt-get', 'install', '-y', '--no-install-recommends', packageName],
          refresh: ['apt-get', 'update'],
          paths,
        }
      : { kind: 'closed', what: 'apt-get', why: 'only root may install packages, and only on Debian' }
  const name = names[0] as string
  return obtain(
    {
      name,
      wanted: name,
      objection: async () => undefined,
      advice: `Type this, then start again:\n  apt-get install -y --no-install-recommends ${packageName}`,
    },
    [{ kind: 'look', what: 'PATH', paths }, install],
    { machine, binFolder: join(tmpdir(), 'slotstream-tools', 'bin'), log: console.log },
  )
}
