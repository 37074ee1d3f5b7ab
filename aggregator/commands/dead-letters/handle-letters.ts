import type { Letters, NumberedLetter } from './letters.js'
import type { Command } from './parse-arguments.js'
import { listOf, pageOf } from './wording.js'

/** Does what was ordered and says what became of it. Throws when some of it could not be done; the rest is done. */
export async function handleLetters(command: Command, letters: Letters, print: (line: string) => void): Promise<void> {
  if (command.do === 'list') return print(listOf(await letters.all()))
  if (command.do === 'show') return print(pageOf(await readLetter(command.number)))
  const failed: string[] = []
  const chosen = command.numbers === 'all' ? (await letters.all()).map(({ number }) => number) : command.numbers
  for (const number of chosen)
    try {
      const letter = await readLetter(number)
      const { stream, seq, subject } = letter
      if (command.do === 'drop') {
        await letters.drop(number)
        print(`${number}: dropped ${stream}/${seq}`)
      } else {
        await letters.replay(letter)
        print(`${number}: published ${stream}/${seq} to ${subject} again`)
      }
    } catch (error) {
      failed.push(error instanceof Error ? error.message : String(error))
    }
  if (chosen.length === 0) print('There are no dead letters.')
  if (failed.length > 0) throw new Error(failed.join('\n'))

  async function readLetter(number: number): Promise<NumberedLetter> {
    const letter = await letters.get(number)
    if (!letter) throw new Error(`there is no dead letter ${number}`)
    return letter
  }
}
