import { fileURLToPath } from 'node:url'
import { COLLECTOR_BUCKETS } from '@slotstream/protocol'
import {
  connectNats,
  neededSecret,
  numberSetting,
  openInstallation,
  runProcess,
  sharedSettings,
  textSetting,
} from '@slotstream/runtime'
import { createCollector } from './collector.js'
import { openPlaces } from './enrich/places.js'
import { collectorSettings } from './settings.js'

const besideDist = (path: string) => fileURLToPath(new URL(path, import.meta.url))

await runProcess('collector', async log => {
  const port = numberSetting('PORT')
  const host = textSetting('HOST')
  const adminToken = neededSecret('ADMIN_TOKEN', 'it permits changes of sites and content')
  const settings = sharedSettings(process.env)
  const ownSettings = collectorSettings(process.env)
  const geoip = textSetting('GEOIP_DATABASE')
  const places = geoip ? await openPlaces(geoip, log) : undefined
  const nats = await connectNats(settings.nats, 'collector', log)
  const decideNats = await connectNats(settings.nats, 'collector-slots', log)
  const installation = await openInstallation(nats, COLLECTOR_BUCKETS, log)
  const collector = createCollector({
    nats,
    decideNats,
    installation,
    adminToken,
    demoDir: textSetting('DEMO_DIR') ?? besideDist('../../examples/demo'),
    sdkFile: textSetting('SDK_FILE') ?? besideDist('../../sdk/dist/slotstream.js'),
    log,
    settings: ownSettings,
    ...(places ? { places } : {}),
  })
  log.info({ port: await collector.listen(port, host), host }, 'listening')
  return {
    async stop() {
      await collector.stop()
      await decideNats.close()
      await nats.close()
    },
  }
})
