import { UsageError } from '@slotstream/runtime'
import { troubleWithDatabases, troubleWithName } from '../access/users-file.js'

/** The command's task. */
export type Command =
  | { do: 'list' }
  | { do: 'add'; name: string; role: 'analyst' | 'builder'; databases: string[] }
  | { do: 'password'; name: string }
  | { do: 'remove'; name: string }

export const USAGE = `usage: npm run clickhouse-users -- list
       npm run clickhouse-users -- add <name> --role analyst
       npm run clickhouse-users -- add <name> --role builder --databases <database>[,<database>…]
       npm run clickhouse-users -- password <name>
       npm run clickhouse-users -- remove <name>`

/** Parses the command line. Throws UsageError. */
export function parseArguments([action = 'list', ...rest]: string[]): Command {
  if (action === 'list' && rest.length === 0) return { do: 'list' }
  const [name, ...options] = rest
  if (name === undefined || name.startsWith('-')) throw new UsageError(USAGE)
  if (action === 'password' && options.length === 0) return { do: 'password', name }
  if (action === 'remove' && options.length === 0) return { do: 'remove', name }
  if (action !== 'add') throw new UsageError(USAGE)
  const { role = 'analyst', databases, ...unknown } = readOptions(options)
  if (Object.keys(unknown).length > 0) throw new UsageError(USAGE)
  if (role !== 'analyst' && role !== 'builder')
    throw new UsageError(`--role is "${role}": analyst or builder\n${USAGE}`)
  const list = databases === undefined ? [] : databases.split(',').map(database => database.trim())
  const trouble = troubleWithName(name) ?? troubleWithDatabases(role, list)
  if (trouble) throw new UsageError(`${trouble}\n${USAGE}`)
  return { do: 'add', name, role, databases: list }
}

/** Reads `--name value` and `--name=value`. */
function readOptions(words: string[]): Record<string, string | undefined> {
  const options: Record<string, string> = Object.create(null)
  for (let at = 0; at < words.length; at++) {
    const [, name, value] = /^--([a-z]+)(?:=(.*))?$/s.exec(words[at]!) ?? []
    const text = value ?? words[++at]
    if (name === undefined || text === undefined) throw new UsageError(USAGE)
    options[name] = text
  }
  return options
}
