import { fileURLToPath } from 'node:url'
import { numberSetting, runProcess, textSetting } from '@slotstream/runtime'
import { collectorSettings } from '../settings.js'
import { createMicro } from './micro.js'
import { readPlan } from './read-plan.js'
import { readSlots } from './read-slots.js'

await runProcess('micro', async log => {
  const port = numberSetting('PORT')
  const host = textSetting('HOST', process.env, 'micro')
  const schemas = textSetting('MICRO_SCHEMAS')
  const slots = textSetting('MICRO_SLOTS')
  const micro = createMicro({
    plan: schemas ? await readPlan(schemas, textSetting('MICRO_UNPLANNED')) : undefined,
    slots: slots ? await readSlots(slots) : undefined,
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
