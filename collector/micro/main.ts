import { fileURLToPath } from 'node:url'
import { numberSetting, runProcess, textSetting } from '@slotstream/runtime'
import { collectorSettings } from '../settings.js'
import { createMicro } from './micro.js'
import { readPlan } from './read-plan.js'

await runProcess('micro', async log => {
  const port = numberSetting('PORT')
  const host = textSetting('HOST', process.env, 'micro')
  const schemas = textSetting('MICRO_SCHEMAS')
  const micro = createMicro({
    plan: schemas ? await readPlan(schemas, textSetting('MICRO_UNPLANNED')) : undefined,
    writeKeys: textSetting('MICRO_WRITE_KEYS')
      .split(',')
      .map(key => key.trim())
      .filter(Boolean),
    maxMessages: numberSetting('MICRO_MAX_MESSAGES'),
    maxBytes: numberSetting('MICRO_MAX_MB') * 1024 * 1024,
    sdkFile: textSetting('SDK_FILE') ?? fileURLToPath(new URL('../../../sdk/dist/slotstream.js', import.meta.url)),
    log,
    settings: collectorSettings(process.env),
  })
  log.info({ port: await micro.listen(port, host), host }, 'listening; see /micro/all, /micro/good, /micro/bad')
  return { stop: () => micro.stop() }
})
