import { natsAccess } from '../nats/nats-access.js'
import { allowedHosts } from '../process/host-check.js'
import { numberSetting, textSetting } from '../process/setting.js'

/** Settings that every server process shares, with their defaults. */
export function sharedSettings(env: NodeJS.ProcessEnv = process.env) {
  return {
    /** Where the NATS servers are, and as whom to connect. */
    nats: natsAccess(env),
    /** Names besides its own under which a server process may be reached by HTTP. */
    allowedHosts: allowedHosts(env),
    /** Copies of every stream and bucket: 1, or 3 on a cluster of three NATS servers. */
    natsReplicas: numberSetting('NATS_REPLICAS', 1, { min: 1, max: 5, env }),
    /** Days that the stream keeps messages, so that they can be replayed. */
    streamRetentionDays: numberSetting('STREAM_RETENTION_DAYS', 7, { min: 1, max: 3650, env }),
    /**
     * Size that a stream may have, in GB; 0 for no limit; undefined where nothing is said, for a share of the disk. A full
     * stream takes no more messages until older ones are past their days: the collector answers 503 and clients keep what
     * they have.
     */
    streamMaxGb: env.STREAM_MAX_GB ? numberSetting('STREAM_MAX_GB', 0, { env }) : undefined,
    /** Folder on this machine where NATS keeps its streams; empty when it is another machine's. */
    natsStoreDir: textSetting('NATS_STORE_DIR', '', env),
    /**
     * Streams that share the partitions of a kind, of a new installation: so many processes can load it, and so many
     * leaders take it in. Undefined where nothing is said.
     */
    streams: {
      events: streamCount('EVENTS_STREAMS', env),
      decisions: streamCount('DECISIONS_STREAMS', env),
      signals: streamCount('SIGNALS_STREAMS', env),
      rejected: streamCount('REJECTED_STREAMS', env),
    },
    /** Partitions of a new installation. An existing one keeps the number it was made with. */
    partitions: numberSetting('PARTITIONS', 32, { min: 1, max: 1024, env }),
  }
}

function streamCount(name: string, env: NodeJS.ProcessEnv): number | undefined {
  return env[name] ? numberSetting(name, 1, { min: 1, max: 1024, env }) : undefined
}

export type SharedSettings = ReturnType<typeof sharedSettings>
