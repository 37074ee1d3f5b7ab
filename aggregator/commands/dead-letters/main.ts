import { runCommand } from '@slotstream/runtime'
import { handleLetters } from './handle-letters.js'
import { openLetters } from './letters.js'
import { parseArguments } from './parse-arguments.js'

await runCommand('dead-letters', process.env, args => {
  const order = parseArguments(args)
  return ({ nats, publisher, say }) => handleLetters(order, openLetters(nats, publisher), say)
})
