import { connectNats, createLog, type Nats, natsAccess, readStream, watchBucket } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CLUSTER_USER, type NatsCluster, startNatsCluster } from '../support/nats-cluster.js'
import { until } from '../support/until.js'

/** Enough of them that each of the two servers one isn't connected to feeds some. */
const FOLLOWERS = 12

/**
 * A server that is lost is not back after this long; to elect others, and find that one is gone, takes some seconds of
 * it.
 */
const PATIENCE = { timeoutMs: 60_000, everyMs: 100 }

const log = createLog('test')
log.level = 'silent'

let cluster: NatsCluster
let nats: Nats
let lost: NatsCluster['servers'][number] | undefined

beforeAll(async () => {
  cluster = await startNatsCluster()
  const access = natsAccess({
    NATS_URL: cluster.urls[0],
    NATS_USER: CLUSTER_USER.user,
    NATS_PASSWORD: CLUSTER_USER.password,
    NATS_CA_FILE: cluster.caFile,
  })
  nats = await connectNats(access, 'test', log)
  await until('JetStream answers', () => nats.manager.getAccountInfo(), Boolean)
})
afterAll(async () => {
  await nats?.close()
  await cluster?.stop()
})

afterEach(() => {
  lost?.start()
  lost = undefined
})

/** Persistently: while leaders are elected, requests are not answered. */
const persistently = <T>(what: string, ask: () => Promise<T>) => until(what, ask, () => true, PATIENCE)

/** Kills the one of the servers to which this process isn't connected that feeds more of a stream's consumers. */
async function loseFeederOf(stream: string): Promise<void> {
  const consumers = await nats.manager.consumers.list(stream).next()
  const feeds = (name: string) => consumers.filter(({ cluster: group }) => group?.leader === name).length
  const connected = nats.connection.info?.server_name
  const [victim] = ['nats-1', 'nats-2', 'nats-3'].filter(name => name !== connected).sort((a, b) => feeds(b) - feeds(a))
  expect(feeds(victim!)).toBeGreaterThan(0)
  lost = cluster.servers[Number(victim!.slice(-1)) - 1]!
  await lost.kill()
}

const isWhole = (stream: string) => async () => {
  const { cluster: group } = await nats.manager.streams.info(stream)
  return group?.leader !== undefined && group.replicas?.every(({ current, offline }) => current && !offline) === true
}

describe('one of three nats-servers is lost, not the one that a process is connected to', () => {
  it('all that it reads goes on, though the server kept the places of some', async () => {
    await persistently('there is a stream', () =>
      nats.manager.streams.add({ name: 'READ', subjects: ['read'], num_replicas: 3 }),
    )
    const send = (text: string) => persistently(`${text} is sent`, () => nats.js.publish('read', text, { msgID: text }))
    await send('before')
    const received: string[][] = []
    const readers = Array.from({ length: FOLLOWERS }, () => readStream(nats, 'READ', { from: 1, log }))
    const reading = readers.map(async (reader, index) => {
      const own: string[] = []
      received[index] = own
      for await (const message of reader) own.push(message.string())
    })
    const all = (last: string) =>
      until(
        `all have read ${last}`,
        () => received.filter(own => own.at(-1) === last).length,
        count => count === FOLLOWERS,
        PATIENCE,
      )
    await all('before')
    await loseFeederOf('READ')
    await send('after')
    await all('after')
    for (const own of received) expect(own).toEqual(['before', 'after'])
    await Promise.all(readers.map(reader => reader.stop()))
    await Promise.all(reading)
  }, 180_000)

  it('all buckets that it follows are followed further', async () => {
    const bucket = await persistently('there is a bucket', () => nats.kvm.create('followed', { replicas: 3 }))
    await until('the cluster is whole', isWhole('KV_followed'), Boolean, { timeoutMs: 60_000 })
    const put = (text: string) => persistently(`${text} is put`, () => bucket.put('key', text))
    await put('before')
    const latest: string[] = []
    const watches = await Promise.all(
      Array.from({ length: FOLLOWERS }, (_, index) =>
        watchBucket(
          nats,
          bucket,
          entry => {
            latest[index] = entry.string()
          },
          log,
        ),
      ),
    )
    await loseFeederOf('KV_followed')
    await put('after')
    await until(
      'all have heard of it',
      () => latest.filter(text => text === 'after').length,
      count => count === FOLLOWERS,
      PATIENCE,
    )
    for (const watch of watches) watch.stop()
  }, 180_000)
})
