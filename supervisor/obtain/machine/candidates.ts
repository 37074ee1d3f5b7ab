import { posix, win32 } from 'node:path'
import type { Machine } from './machine.js'

/**
 * Returns the absolute paths at which a program may be, best first: `names` in each folder of PATH, then in
 * `extraFolders`. Relative entries of PATH are left out: what they mean changes with the working folder.
 */
export function candidates(
  { platform, env }: Pick<Machine, 'platform' | 'env'>,
  names: readonly string[],
  extraFolders: readonly string[] = [],
): string[] {
  const { delimiter, isAbsolute, join } = platform === 'win32' ? win32 : posix
  // Windows calls it Path; process.env hides that, a copy of it does not.
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter(isAbsolute)
  const files = names.map(name => executableName(platform, name))
  return [...new Set([...folders, ...extraFolders].flatMap(folder => files.map(file => join(folder, file))))]
}

/** Returns the file name of a program on a platform. */
export function executableName(platform: NodeJS.Platform, name: string): string {
  return platform === 'win32' ? `${name}.exe` : name
}
