import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from '@nats-io/transport-node'
import { createCollector } from '@slotstream/collector'
import {
  connectNats,
  createLog,
  type Installation,
  type Nats,
  natsAccess,
  provision,
  sharedSettings,
} from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { ADMIN_TOKEN, putSite } from '../support/collector.js'
import { CLUSTER_USER, type NatsCluster, startNatsCluster } from '../support/nats-cluster.js'
import { createSender } from '../support/sender.js'
import { until } from '../support/until.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

const COMMAND = fileURLToPath(new URL('../../aggregator/dist/commands/streams/main.js', import.meta.url))
const DEMO = fileURLToPath(new URL('../../examples/demo', import.meta.url))
const KILLS = 6

const log = createLog('test')
log.level = 'silent'

let cluster: NatsCluster
let nats: Nats
let installation: Installation
let settings: NodeJS.ProcessEnv

beforeAll(async () => {
  cluster = await startNatsCluster()
  settings = {
    NATS_URL: cluster.urls.join(','),
    NATS_USER: CLUSTER_USER.user,
    NATS_PASSWORD: CLUSTER_USER.password,
    NATS_CA_FILE: cluster.caFile,
    NATS_REPLICAS: '3',
    PARTITIONS: '8',
  }
  nats = await connectNats(natsAccess(settings), 'test', log)
  installation = await provision(nats, sharedSettings(settings), log)
})
afterAll(async () => {
  await nats?.close()
  await cluster?.stop()
})

const streams = (...args: string[]) =>
  promisify(execFile)(process.execPath, [COMMAND, ...args], { env: { PATH: process.env.PATH, ...settings } })

/** All streams and buckets have a leader, and copies on the others that are up to it. */
const isWhole = async () => {
  const found = await nats.manager.streams.list().next()
  const infos = await Promise.all(found.map(({ config }) => nats.manager.streams.info(config.name)))
  return infos.every(
    ({ cluster: group }) =>
      group?.leader && group.replicas?.length === 2 && group.replicas.every(each => each.current && !each.offline),
  )
}

describe('three nats-servers as the operating guide has them', () => {
  it('let nobody in without the password, or without TLS', async () => {
    const refused = (env: NodeJS.ProcessEnv) => {
      const access = natsAccess({ ...settings, ...env })
      return connectNats(access, 'test', log).then(
        () => expect.fail('it was let in'),
        (error: Error) => error.message,
      )
    }
    expect(await refused({ NATS_PASSWORD: 'guess' })).toContain('refuses the user slotstream')
    expect(await refused({ NATS_USER: '', NATS_PASSWORD: '' })).toContain('refuses a connection without a user')
    const [server] = cluster.urls
    const account = { user: CLUSTER_USER.user, pass: CLUSTER_USER.password, reconnect: false, timeout: 10_000 }
    await expect(connect({ servers: server!, ...account, tls: {} })).rejects.toThrow(/certificate/)
    await expect(connect({ servers: server!, ...account, tls: null })).rejects.toThrow()
    expect((await nats.servers()).map(({ name }) => name).toSorted()).toEqual(['nats-1', 'nats-2', 'nats-3'])
  })

  it('take another number of streams, and start again after every kill, without a message lost; or refuse it when they are older', async () => {
    if (!/v2\.(1[5-9]|[2-9]\d)\.|v[3-9]\./.test(cluster.version)) {
      const refusal = streams('events', '2').catch((error: { stderr: string }) => error.stderr)
      expect(await refusal).toMatch(/EVENTS has 3 copies on a cluster: nats-1 is version 2\..*2\.15 or later is needed/)
      return
    }
    const clickhouse: ClickHouse = await startClickHouse()
    const { url, username, password } = clickhouse.account
    const account = { CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password }
    const aggregator: Aggregator = await startAggregator({ ...settings, ...account })
    const collector = createCollector({
      nats,
      installation,
      adminToken: ADMIN_TOKEN,
      demoDir: DEMO,
      sdkFile: `${DEMO}/dom.js`,
      log,
    })
    try {
      const collectorUrl = `http://127.0.0.1:${await collector.listen(0, '127.0.0.1')}`
      await until(
        'the collector is ready',
        () => fetch(`${collectorUrl}/readyz`),
        ({ ok }) => ok,
      )
      await until('its tables are made', () => aggregator.share('warehouse'), Boolean, { timeoutMs: 120_000 })
      await putSite(collectorUrl, 'shop')
      const sender = createSender(collectorUrl, 'shop')
      const sending = sender.send({ eventsPerSecond: 50, batchSize: 5, visitors: 12 })
      const arrived = (more: number) => {
        const before = sender.acknowledged().size
        return until(
          `${more} more are acknowledged`,
          () => sender.acknowledged().size,
          size => size >= before + more,
          { timeoutMs: 60_000 },
        )
      }
      await arrived(20)
      for (const [kind, count] of [
        ['events', 3],
        ['decisions', 2],
        ['events', 2],
      ] as const)
        expect((await streams(kind, String(count))).stdout).toContain(`these take ${kind}`)
      await arrived(20)

      for (let kill = 0; kill < KILLS; kill++) {
        const server = cluster.servers[kill % 3]!
        await server.kill()
        await arrived(5)
        server.start()
        await until('the cluster is whole again', isWhole, Boolean, { timeoutMs: 90_000, everyMs: 250 })
        expect(server.isAlive(), server.log()).toBe(true)
        await arrived(5)
      }
      sender.stop()
      await sending
      const sent = sender.acknowledged().size
      const counts = async () => {
        const query = 'SELECT count(), uniqExact(message_id) FROM slotstream.events'
        const rows = await (await clickhouse.client.query({ query, format: 'JSONCompactEachRow' })).json<unknown[]>()
        return rows[0]!.map(Number)
      }
      expect(
        await until('all are in the table', counts, ([count = 0]) => count >= sent, { timeoutMs: 60_000 }),
      ).toEqual([sent, sent])
      expect((await streams()).stdout).toMatch(/EVENTS_4: partitions 0 to 3.*\nEVENTS_5: partitions 4 to 7/)
    } catch (error) {
      console.log(
        cluster.servers.map(server => server.log().slice(-3_000)).join('\n---\n'),
        aggregator.output().slice(-2_000),
      )
      throw error
    } finally {
      await aggregator.end('SIGKILL')
      await collector.stop()
      await clickhouse.stop()
    }
  }, 400_000)
})
