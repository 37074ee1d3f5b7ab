import { chownSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readUsers, type StoredUsers } from '../access/users-file.js'

/** The users file, for changes by hand. */
export interface UsersStore {
  /** Throws Error when the file is there and isn't one of users. */
  read(): StoredUsers
  /** Replaces the file at once, readable by its owner alone. */
  write(users: StoredUsers): void
}

/**
 * @param file the users file; need not exist
 * @param serverDir a folder of the server that reads it: what root writes is given to that folder's owner
 */
export function openUsersStore(file: string, serverDir: string): UsersStore {
  return {
    read() {
      try {
        return readUsers(readFileSync(file, 'utf8'))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { users: {} }
        throw new Error(`${file}: ${(error as Error).message}`)
      }
    },
    write(users) {
      mkdirSync(dirname(file), { recursive: true })
      const temporary = join(dirname(file), `.clickhouse-users-${process.pid}`)
      try {
        writeFileSync(temporary, `${JSON.stringify(users, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
        giveToOwnerOf(serverDir, temporary)
        renameSync(temporary, file)
      } catch (error) {
        rmSync(temporary, { force: true })
        throw error
      }
    },
  }
}

function giveToOwnerOf(folder: string, file: string): void {
  if (process.getuid?.() !== 0) return
  const owner = statSync(folder, { throwIfNoEntry: false })
  if (owner) chownSync(file, owner.uid, owner.gid)
}
