import { hashPassword, makePassword } from '../access/passwords.js'
import type { StoredUser, StoredUsers } from '../access/users-file.js'
import type { Command } from './parse-arguments.js'
import type { UsersStore } from './users-store.js'

/** Runs a command on the users file. Throws Error when the user is there already, or isn't. */
export async function runOnUsers(command: Command, store: UsersStore, print: (line: string) => void): Promise<void> {
  const stored = store.read()
  const users = new Map(Object.entries(stored.users))
  const save = () => store.write({ ...stored, users: Object.fromEntries(users) } satisfies StoredUsers)
  if (command.do === 'list') return print(listOf(users))
  const { name } = command
  const existing = users.get(name)

  if (command.do === 'add') {
    if (existing) throw new Error(`there is a user "${name}": change the password, or remove it first`)
    const { role, databases } = command
    const password = makePassword()
    users.set(name, { role, password: await hashPassword(password), ...(databases.length > 0 && { databases }) })
    save()
    print(
      `${name} is ${role === 'builder' ? `a builder in ${databases.join(', ')}` : 'an analyst'}, from the next second on.`,
    )
    return print(`password (shown this once): ${password}`)
  }
  if (!existing) throw new Error(`there is no user "${name}"`)
  if (command.do === 'remove') {
    users.delete(name)
    save()
    return print(
      `${name} is removed.${existing.databases ? ` Left as they are: ${existing.databases.join(', ')}.` : ''}`,
    )
  }
  const password = makePassword()
  users.set(name, { ...existing, password: await hashPassword(password) })
  save()
  print(`password of ${name} (shown this once): ${password}`)
}

function listOf(users: ReadonlyMap<string, StoredUser>): string {
  if (users.size === 0) return 'There are no named users: programs on this machine read without a password.'
  const rows = [...users].map(([name, { role, databases = [] }]) => [name, role, databases.join(', ')])
  const table = [['NAME', 'ROLE', 'DATABASES'], ...rows]
  const widths = [0, 1].map(column => Math.max(...table.map(row => row[column]!.length)))
  return table
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
