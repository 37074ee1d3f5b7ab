import { runCommand } from '@slotstream/runtime'
import { carryOut } from './carry-out.js'
import { openLetters } from './letters.js'
import { understand } from './understand.js'

await runCommand('dead-letters', process.env, args => {
  const order = understand(args)
  return ({ nats, publisher, say }) => carryOut(order, openLetters(nats, publisher), say)
})
