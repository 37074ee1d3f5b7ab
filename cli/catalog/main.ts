import { ConfigurationError } from '@slotstream/runtime/settings'
import { CommandError } from '@slotstream/tracking-plan'
import { UsageError } from '../usage-error.js'
import { parseArguments } from './parse-arguments.js'
import { runCommand } from './run-command.js'

try {
  await runCommand(parseArguments(process.argv.slice(2), process.env), process.env, console.log)
} catch (error) {
  const isExpected = error instanceof CommandError || error instanceof ConfigurationError || error instanceof UsageError
  console.error(isExpected ? error.message : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
