import { ConfigurationError } from '@slotstream/runtime/settings'
import { CommandError } from '@slotstream/tracking-plan'
import { UsageError } from '../usage-error.js'
import { carryOut } from './carry-out.js'
import { understand } from './understand.js'

try {
  await carryOut(understand(process.argv.slice(2), process.env), process.env, console.log)
} catch (error) {
  const known = error instanceof CommandError || error instanceof ConfigurationError || error instanceof UsageError
  console.error(known ? error.message : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
