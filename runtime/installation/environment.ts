import { natsAccess } from '../nats/connection/nats-access.js'
import { allowedHosts } from '../process/host-check.js'
import { type Environment, numberSetting, textSetting } from '../settings/read.js'

/** Returns the settings that every server process shares, with their defaults. */
export function sharedSettings(env: Environment) {
  return {
    /** Where the NATS servers are, and as whom to connect. */
    nats: natsAccess(env),
    /** Names besides its own under which a server process may be reached by HTTP. */
    allowedHosts: allowedHosts(env),
    /** Copies of every stream and bucket: 1, or 3 on a cluster of three NATS servers. */
    natsReplicas: numberSetting('NATS_REPLICAS', env),
    /** Days that the stream keeps messages, so that they can be replayed. */
    streamRetentionDays: numberSetting('STREAM_RETENTION_DAYS', env),
    /**
     * Size that a stream may have, in GB; 0 for no limit; undefined where nothing is said, for a share of the disk. A
     * full stream takes no more messages until older ones are past their days: the collector answers 503 and clients
     * keep what they have.
     */
    streamMaxGb: numberSetting('STREAM_MAX_GB', env),
    /** Folder on this machine where NATS keeps its streams; empty when it is another machine's. */
    natsStoreDir: textSetting('NATS_STORE_DIR', env),
    /**
     * Streams that share the partitions of a kind, of a new installation: so many processes can load it, and so many
     * leaders take it in. Undefined where nothing is said.
     */
    streams: {
      events: numberSetting('EVENTS_STREAMS', env),
      decisions: numberSetting('DECISIONS_STREAMS', env),
      signals: numberSetting('SIGNALS_STREAMS', env),
      rejected: numberSetting('REJECTED_STREAMS', env),
      deliveries: numberSetting('DELIVERIES_STREAMS', env),
      learning: numberSetting('LEARNING_STREAMS', env),
    },
    /** Partitions of a new installation. An existing one keeps the number it was made with. */
    partitions: numberSetting('PARTITIONS', env),
  }
}

export type SharedSettings = ReturnType<typeof sharedSettings>
