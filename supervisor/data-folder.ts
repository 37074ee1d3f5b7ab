import { chmodSync, chownSync, lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Owner } from './private-file.js'

/** New files are their owner's alone. */
export const PRIVATE_UMASK = 0o077

const PRIVATE_FOLDER = 0o700
const PRIVATE_FILE = 0o600

/** Its owner writes it, a part's group reads it. */
const LENT_FILE = 0o640

/** Others may go through it, to what is theirs, and see nothing of it. */
const PASSABLE_FOLDER = 0o711

/** Holds programs, which the users of parts run. */
const PROGRAMS = 'bin'

/** Folders of ours with files that hold something of people or of the installation. */
const OURS = ['logs', 'run']

/**
 * Makes the data folder, and closes it to other users, also one of before: folders in it are 0700 and files 0600. The
 * parts close what is deeper by their umask.
 *
 * @param shared parts run as users of their own, who have to get to their folders: it is 0711 itself
 */
export function closeDataFolder(dataDir: string, { shared }: { shared: boolean }): void {
  const ownMode = shared ? PASSABLE_FOLDER : PRIVATE_FOLDER
  mkdirSync(dataDir, { recursive: true, mode: ownMode })
  chmodSync(dataDir, ownMode)
  mkdirSync(join(dataDir, PROGRAMS), { recursive: true })
  closeWithin(dataDir, shared)
  for (const folder of OURS) {
    const path = join(dataDir, folder)
    mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER })
    closeWithin(path, false)
  }
}

function closeWithin(folder: string, shared: boolean): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) chmodSync(path, entry.name === PROGRAMS && shared ? PASSABLE_FOLDER : PRIVATE_FOLDER)
    else if (entry.isFile()) chmodSync(path, PRIVATE_FILE)
  }
}

/** Makes a folder of the data folder that belongs to `owner`, with all that is in it, and closes it to others. */
export function giveFolder(path: string, owner: Owner): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER })
  if (lstatSync(path).uid !== owner.uid) giveAll(path, owner)
  chmodSync(path, PRIVATE_FOLDER)
}

/** Lets a part read a file of the data folder that it may not change; without the file there is nothing to do. */
export function lendFile(path: string, owner: Owner): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return
  chownSync(path, process.getuid?.() ?? 0, owner.gid)
  chmodSync(path, LENT_FILE)
}

/** The folder itself comes last: whoever owns it owns all that is in it, also when this was cut short once. */
function giveAll(path: string, owner: Owner): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) giveAll(inner, owner)
    else lchownSync(inner, owner.uid, owner.gid)
  }
  lchownSync(path, owner.uid, owner.gid)
}
