/** A setting that can't be used. The message names the variable, what it held and what it takes. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
  readonly code = 'configuration'
}

/** Text of an environment variable; `fallback` when it is unset or empty. */
export function textSetting(name: string, fallback: string, env: NodeJS.ProcessEnv = process.env): string {
  return env[name] || fallback
}

/** Whole number of an environment variable. Throws ConfigurationError when it isn't one from `min` to `max`. */
export function numberSetting(
  name: string,
  fallback: number,
  {
    min = 0,
    max = Number.MAX_SAFE_INTEGER,
    env = process.env,
  }: { min?: number; max?: number; env?: NodeJS.ProcessEnv } = {},
): number {
  const text = env[name]
  if (!text) return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new ConfigurationError(`${name} is "${text}": it must be a whole number from ${min} to ${max}`)
  return value
}

/** Text of an environment variable that must be set. `why` completes "NAME must be set: …". */
export function neededSetting(name: string, why: string, env: NodeJS.ProcessEnv = process.env): string {
  const value = env[name]
  if (!value) throw new ConfigurationError(`${name} must be set: ${why}`)
  return value
}

/** Settings that every server process shares, with their defaults. */
export function sharedSettings(env: NodeJS.ProcessEnv = process.env) {
  return {
    /** Where the NATS servers are: one URL, or several with commas between. */
    natsUrl: textSetting(
      'NATS_URL',
      `nats://127.0.0.1:${numberSetting('NATS_PORT', 4222, { min: 1, max: 65535, env })}`,
      env,
    ),
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
