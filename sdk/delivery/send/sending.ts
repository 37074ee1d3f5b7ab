import type { Delivery } from '../delivery.js'
import { createSealedBatches } from './sealed-batches.js'
import { createSender, type Sender } from './sender.js'
import { createTransport } from './transport.js'
import { createTurns, type TakeTurn } from './turns.js'
import { watchOver } from './watch-over.js'

/**
 * Creates the sender, which may come a moment later than capturing: capturing doesn't depend on its file.
 */
export function createSending(delivery: Delivery): Sender {
  const { settings, name, keyPrefix, now, listeners, credentials, load, whenLoaded } = delivery
  const { locks } = navigator
  const store = { ...delivery.store, ...createSealedBatches(delivery.store) }
  const transport = createTransport(settings.endpoint, settings.writeKey, credentials)
  let lease: Promise<TakeTurn> | undefined
  const loadLease = () => {
    lease ??= whenLoaded(() => load('lease')).then(create => create(store, now))
    return lease
  }
  const takeTurn = createTurns(name, locks, loadLease)
  const loadLimits = async () => (await load('limits'))(store)
  const sender = createSender({ ...delivery, store, loadLimits, transport, takeTurn, random: Math.random })
  return {
    ...sender,
    start() {
      sender.start()
      if (!settings.cookieless)
        watchOver(`${name}.watch`, `${keyPrefix}seq`, locks, listeners, () => sender.onWritten(0))
    },
  }
}
