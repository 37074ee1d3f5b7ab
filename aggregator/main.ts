import { runProcess } from '@slotstream/runtime'
import { restartable } from './restartable.js'
import { aggregatorSettings } from './settings.js'
import { startAggregator } from './start.js'

await runProcess('aggregator', log => {
  const settings = aggregatorSettings(process.argv.slice(2), process.env)
  return restartable(outdated => startAggregator(settings, log, outdated))
})
