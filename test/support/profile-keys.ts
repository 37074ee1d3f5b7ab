import { profileKey } from '@slotstream/protocol'
import { createPrivacy, type Nats } from '@slotstream/runtime'

/** Reads from the bucket `meta` how a running system makes the keys of its profiles. */
export async function profileKeysOf(nats: Nats): Promise<(siteId: string, visitorId: string) => string> {
  const meta = await nats.kvm.open('meta')
  const { partitions } = (await meta.get('installation'))!.json<{ partitions: number }>()
  const { keyed } = createPrivacy((await meta.get('people'))!.json<string>())
  return (siteId, visitorId) => profileKey(keyed, { siteId, visitorId }, partitions)
}
