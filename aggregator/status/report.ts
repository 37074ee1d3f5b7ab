import { DEAD_LETTERS, type Lag, type StreamPart, streamSubject, type Trouble } from '@slotstream/protocol'
import { answerStatus, type Installation, type Log, type Metrics, measureLag, type Nats } from '@slotstream/runtime'
import type { SkewTracker } from './skew-tracker.js'

/** Time between two measurements, in milliseconds. */
const EVERY_MS = 5_000

export interface ReportDeps {
  nats: Nats
  installation: Pick<Installation, 'streams'>
  metrics: Metrics
  log: Log
  roles: string[]
  skewTracker: SkewTracker
  /** Returns the sequence up to which each partition is done that this process keeps profiles of. */
  applied: () => { partition: number; through: number }[]
  /** Returns the sequence up to which each stream is done that this process loads. */
  loaded: () => Promise<{ stream: string; through: number }[]>
  /** Returns the sequence up to which each stream of learning records is done that this process follows. */
  learned?: () => { stream: string; through: number }[]
  /** Failures that last, each tried again. */
  troubles?: () => Trouble[]
  /** Called with each lag that was measured. */
  noteLag?: (lag: Lag) => void
}

/** Measures how far the roles are behind and how messages are spread, for `/metrics` and the pipeline's status. */
export function startReport(deps: ReportDeps): { stop(): void } {
  const { nats, installation, metrics, log, roles, skewTracker, applied, loaded, noteLag } = deps
  const { learned = () => [], troubles = () => [] } = deps
  const { events } = installation.streams
  const labels = ['role', 'stream', 'partition']
  const messages = metrics.gauge('lag_messages', 'Messages a role has not processed; partition "" is a stream', labels)
  const seconds = metrics.gauge('lag_seconds', 'Age of the oldest message a role has not processed', labels)
  const hottestPartition = metrics.gauge('hottest_partition_share', 'Share of messages in the busiest partition, 0-1')
  const hottestVisitor = metrics.gauge('hottest_visitor_share', 'Share of messages of the busiest visitor, 0-1')
  const waiting = metrics.gauge('dead_letters_waiting', 'Dead letters that were neither replayed nor dropped')
  let lags: Lag[] = []
  let measuring = Promise.resolve()

  async function measure(): Promise<void> {
    const partitions = applied()
    const streams = [
      ...(await loaded()).map(reader => ({ role: 'warehouse', ...reader })),
      ...learned().map(reader => ({ role: 'decisions', ...reader })),
    ]
    const [byPart, letters, ...ofStreams] = await Promise.all([
      Promise.all(events.map(part => ofPartitions(part, partitions))),
      nats.manager.streams.info(DEAD_LETTERS.name),
      ...streams.map(({ stream, through }) => measureLag(nats, stream, [{ through }])),
    ])
    lags = [
      ...byPart.flat(),
      ...streams.map(({ role, stream }, i) => ({ role, stream, partition: null, ...ofStreams[i]![0]! })),
    ]
    messages.reset()
    seconds.reset()
    for (const lag of lags) {
      const names = { role: lag.role, stream: lag.stream, partition: lag.partition ?? '' }
      messages.set(names, lag.messages)
      seconds.set(names, lag.seconds)
      noteLag?.(lag)
    }
    waiting.set(letters.state.messages)
    const skew = skewTracker.read()
    const share = (count: number) => (skew.messages > 0 ? count / skew.messages : 0)
    hottestPartition.set(share(Math.max(0, ...skew.partitions.map(([, count]) => count))))
    hottestVisitor.set(share(Math.max(0, ...skew.keys.map(key => key.messages - key.error))))
  }

  async function ofPartitions({ name, first, last }: StreamPart, all: ReturnType<typeof applied>): Promise<Lag[]> {
    const ofStream = all.filter(({ partition }) => partition >= first && partition <= last)
    if (ofStream.length === 0) return []
    const readers = ofStream.map(({ partition, through }) => ({ through, subject: streamSubject('events', partition) }))
    const behind = await measureLag(nats, name, readers)
    return ofStream.map(({ partition }, i) => ({ role: 'profiles', stream: name, partition, ...behind[i]! }))
  }

  const again = () => {
    if (!nats.connected) return
    measuring = measuring.then(measure).catch(error => log.warn({ err: error }, 'the lag could not be measured'))
  }
  const timer = setInterval(again, EVERY_MS)
  again()
  const more = () => ({
    lags,
    troubles: troubles(),
    ...(roles.includes('profiles') ? { skew: skewTracker.read() } : {}),
  })
  const answering = answerStatus({ nats, part: 'aggregator', roles, metrics, log, more })
  return {
    stop() {
      clearInterval(timer)
      answering.stop()
    },
  }
}
