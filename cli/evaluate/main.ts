import { ConfigurationError } from '@slotstream/runtime/settings'
import { CommandError } from '@slotstream/tracking-plan'
import { UsageError } from '../usage-error.js'
import { parseArguments } from './parse-arguments.js'
import { runCommand } from './run-command.js'

try {
  await runCommand(parseArguments(process.argv.slice(2)), console.log, process.env)
} catch (error) {
  const isExpected = error instanceof CommandError || error instanceof UsageError || error instanceof ConfigurationError
  console.error(isExpected ? error.message : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
