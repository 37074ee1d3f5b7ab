import { mkdirSync } from 'node:fs'
import { ConfigurationError, warnOfMisspelt } from '@slotstream/runtime'
import { ProgramMissingError } from './obtain/obtain.js'
import { createReport } from './report.js'
import { supervisorSettings } from './settings.js'
import { startSystem } from './start-system.js'

const report = createReport(process.stdout)
// Where nobody reads it any more (a terminal that was closed, `npm start | head`), parts still run, and have to be ended.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

try {
  const settings = supervisorSettings(process.env)
  warnOfMisspelt(report.note)
  mkdirSync(settings.dataDir, { recursive: true })
  const system = await startSystem(settings, process.env, report)
  let stopRequests = 0
  const stop = async () => {
    stopRequests++
    if (stopRequests > 1) return report.note('still stopping: what is acknowledged is stored either way')
    report.note('stopping: collector, aggregator, warehouse, ClickHouse, NATS')
    await system.stop()
    report.note('stopped')
    process.exit(0)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', stop)
} catch (error) {
  const forPeople = error instanceof ConfigurationError || error instanceof ProgramMissingError
  report.note(forPeople ? error.message : String((error as Error).stack ?? error))
  process.exit(1)
}
