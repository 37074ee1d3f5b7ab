import { UsageError } from '@slotstream/runtime'

/** Work that the command is to do. `replay` without numbers is all of them. */
export type Command =
  | { do: 'list' }
  | { do: 'show'; number: number }
  | { do: 'replay'; numbers: number[] | 'all' }
  | { do: 'drop'; numbers: number[] }

export const USAGE = `usage: npm run dead-letters -- list
       npm run dead-letters -- show <number>
       npm run dead-letters -- replay <number>… | --all
       npm run dead-letters -- drop <number>…`

/** Returns the command line as a command. @throws UsageError */
export function parseArguments([action = 'list', ...rest]: string[]): Command {
  if (action === 'list' && rest.length === 0) return { do: 'list' }
  if (action === 'show' && rest.length === 1) return { do: 'show', number: numberOf(rest[0]!) }
  if (action === 'replay' && rest.length === 1 && rest[0] === '--all') return { do: 'replay', numbers: 'all' }
  if (action === 'replay' && rest.length > 0) return { do: 'replay', numbers: rest.map(numberOf) }
  if (action === 'drop' && rest.length > 0) return { do: 'drop', numbers: rest.map(numberOf) }
  throw new UsageError(USAGE)
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new UsageError(`"${text}" is not the number of a dead letter: the first column of the list\n${USAGE}`)
}
