import { closeSync, constants, fchmodSync, fchownSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** User and group of a process, by number. */
export interface Owner {
  uid: number
  gid: number
}

/**
 * Writes a file that only its owner can read, whole or not at all.
 *
 * @param owner who it is to belong to, when not to this process's user
 */
export function writePrivate(file: string, text: string, owner?: Owner): void {
  const fresh = `${file}.new`
  rmSync(fresh, { force: true })
  // Made new and not followed: nothing that lies there already is written to.
  const fd = openSync(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    fchmodSync(fd, 0o600)
    if (owner) fchownSync(fd, owner.uid, owner.gid)
    writeFileSync(fd, text)
  } finally {
    closeSync(fd)
  }
  renameSync(fresh, file)
}
