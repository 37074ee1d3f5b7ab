import type { Nats, NatsServer } from '@slotstream/runtime'

/**
 * Oldest nats-server, as [major, minor], that starts again after it was killed in a cluster whose streams have handed
 * subjects to each other. One of 2.9 applies the changes of streams once more when it starts, stumbles over subjects
 * that another stream has by now, and does not start.
 */
const OLDEST = [2, 15] as const

/**
 * Makes sure that every server that keeps a copy of a stream, and every other one that is known, is new enough to let
 * streams hand over subjects. A stream without copies has no cluster to apply changes once more.
 *
 * @throws Error that names the servers that are too old, or can't be asked
 */
export async function refuseOldCluster(nats: Nats, stream: string): Promise<void> {
  const { config, cluster } = await nats.manager.streams.info(stream)
  if (config.num_replicas === 1) return
  const peers = [cluster?.leader, ...(cluster?.replicas ?? []).map(({ name }) => name)].filter(
    name => name !== undefined,
  )
  const objection = objectionTo(peers, await nats.servers())
  if (objection) throw new Error(`${stream} has ${config.num_replicas} copies on a cluster: ${objection}`)
}

/**
 * Returns why the servers of a cluster cannot be used; undefined where they can. Those that keep copies must be known.
 */
export function objectionTo(peers: readonly string[], servers: readonly NatsServer[]): string | undefined {
  const needed = `nats-server ${OLDEST.join('.')} or later is needed on each, because an older one that is killed after a change of streams may not start again`
  const old = servers.filter(({ version }) => !isNewEnough(version))
  if (old.length > 0) return `${old.map(({ name, version }) => `${name} is version ${version}`).join(', ')}; ${needed}`
  const unknown = peers.filter(peer => !servers.some(({ name }) => name === peer))
  if (unknown.length > 0) return `${unknown.join(', ')} can't be asked for its version: name it in NATS_URL; ${needed}`
  return undefined
}

function isNewEnough(version: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version)?.map(Number) ?? []
  if (major === undefined || minor === undefined) return false
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}
