import { mkdirSync } from 'node:fs'
import { ConfigurationError, warnOfMisspelt } from '@slotstream/runtime'
import { ProgramMissingError } from './obtain/obtain.js'
import { createReport } from './report.js'
import { supervisorSettings } from './settings.js'
import { startSystem } from './start-system.js'

/** Signals to stop that come within this belong to one request, in milliseconds. */
const SAME_REQUEST_MS = 500

const report = createReport(process.stdout)
// Where nothing reads the output any more, such as a closed terminal, the services are still to be stopped in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

try {
  const settings = supervisorSettings(process.env)
  warnOfMisspelt(report.note)
  mkdirSync(settings.dataDir, { recursive: true })
  const system = await startSystem(settings, process.env, report)
  let stoppingSince: number | undefined
  const stop = async () => {
    // Ctrl-C reaches this process twice, by the terminal and by npm.
    if (stoppingSince !== undefined && Date.now() - stoppingSince < SAME_REQUEST_MS) return
    if (stoppingSince !== undefined) return report.note('still stopping: what is acknowledged is stored either way')
    stoppingSince = Date.now()
    report.note('stopping: collector, aggregator, warehouse, ClickHouse, NATS')
    await system.stop()
    report.note('stopped')
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
} catch (error) {
  const forPeople = error instanceof ConfigurationError || error instanceof ProgramMissingError
  report.note(forPeople ? error.message : String((error as Error).stack ?? error))
  process.exit(1)
}
