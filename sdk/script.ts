import * as slotstream from './index.js'
import { emit } from './platform/emit.js'

/**
 * The script tag: `<script async src="https://collector.example/sdk.js" data-write-key="…"></script>`.
 * Also read: `data-endpoint` (default: where the script came from), `data-debug`, `data-auto-page="false"`.
 */
const script = document.currentScript as HTMLScriptElement | null
const host = window as Window & { slotstream?: typeof slotstream }

if (!host.slotstream) {
  host.slotstream = slotstream
  const { writeKey, endpoint, debug, autoPage } = script?.dataset ?? {}
  if (writeKey)
    slotstream.init({
      writeKey,
      endpoint: endpoint ?? new URL(script?.src || location.href).origin,
      debug: debug !== undefined && debug !== 'false',
      autoPage: autoPage !== 'false',
    })
  emit('ready', slotstream)
}
