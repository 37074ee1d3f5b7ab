import { runCommand } from '@slotstream/runtime'
import { handleLetters } from './handle-letters.js'
import { openLetters } from './letters.js'
import { parseArguments } from './parse-arguments.js'

await runCommand('dead-letters', process.env, args => {
  const command = parseArguments(args)
  return ({ nats, publisher, print }) => handleLetters(command, openLetters(nats, publisher), print)
})
