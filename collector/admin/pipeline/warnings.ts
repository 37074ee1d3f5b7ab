import type { PipelineStatus } from './merge.js'

/** A hint for an operator: what is wrong, and what to do about it. */
export interface Warning {
  what: string
  todo: string
}

/** Roles without which nothing is kept up to date. */
const ROLES = ['profiles', 'decisions', 'warehouse']

/** A role this far behind, in seconds, is in trouble: a page would feel it, an analyst see it. */
const LAG_SECONDS = 30

/** Fewer failed attempts in a row are a hiccup. */
const REPEATED = 3

/** Skew means something only among enough messages. */
const ENOUGH_MESSAGES = 1_000

/** A visitor with this share of all messages is hardly a person. */
const HOT_VISITOR = 0.1

/** A partition is hot when it has this many times its fair share, and at least this share of all. */
const HOT_PARTITION_TIMES = 4
const HOT_PARTITION = 0.2

/** ClickHouse slows inserts down at 1,000 parts in one partition, and refuses them at 3,000. */
const MANY_PARTS = 300

const NEARLY_FULL = 0.8

/** Judges a status. Pure; worst first. */
export function warningsOf(status: PipelineStatus): Warning[] {
  const warnings: Warning[] = []
  const warn = (what: string, todo: string) => void warnings.push({ what, todo })
  for (const role of ROLES)
    if (!status.processes.some(({ roles }) => roles.includes(role)))
      warn(
        `no process answers for the role ${role}`,
        'start an aggregator with this role (--roles), or look into the log of the one that should run',
      )
  for (const { name, full } of status.streams)
    if (full !== null && full >= NEARLY_FULL)
      warn(
        `the stream ${name} is ${percent(full)} full: when it is full, messages are rejected with 503`,
        'give it more room or a shorter retention, and look why what reads it is behind',
      )
  for (const { role, what, attempts, since, reason } of status.troubles)
    if (attempts >= REPEATED)
      warn(
        `the role ${role} fails at ${what}, ${attempts} times since ${since}: ${reason}`,
        'what waits stays in its stream and is loaded when the cause is gone: see whether ClickHouse answers and takes ' +
          'inserts, and whether a view on the table throws',
      )
  for (const { role, messages, seconds } of status.behind)
    if (seconds >= LAG_SECONDS)
      warn(
        `the role ${role} is behind: ${messages} messages, the oldest waits for ${Math.round(seconds)} s`,
        role === 'warehouse'
          ? 'see whether ClickHouse answers and takes inserts; what is waiting stays in the stream and is loaded later'
          : 'see whether the process has enough CPU; start another aggregator to share the partitions',
      )
  const { deadLettersWaiting } = status.counts
  if (deadLettersWaiting > 0)
    warn(
      `dead letters wait: ${deadLettersWaiting} messages could not be processed`,
      'npm run dead-letters -- list; when the cause is mended, replay them, else drop them',
    )
  warnings.push(...skewWarnings(status))
  for (const { table, mostInPartition } of status.tables)
    if (mostInPartition >= MANY_PARTS)
      warn(
        `the table ${table} has ${mostInPartition} parts in one partition: merges don't keep up with inserts`,
        'raise WAREHOUSE_FLUSH_MS, so that inserts are fewer and larger, and see whether the disk is slow or full',
      )
  const versions = new Set(status.processes.map(({ version }) => version))
  if (versions.size > 1)
    warn(
      `processes of different versions run: ${[...versions].sort().join(', ')}`,
      'finish the update: restart the older ones',
    )
  return warnings
}

function skewWarnings({ skew, partitions }: PipelineStatus): Warning[] {
  if (skew.messages < ENOUGH_MESSAGES) return []
  const warnings = skew.keys
    .filter(({ share }) => share >= HOT_VISITOR)
    .map(({ siteId, visitorId, share }) => ({
      what: `visitor ${visitorId} of site ${siteId} sends ${percent(share)} of all messages`,
      todo:
        'this looks like a server that sends under one id. Give each real user an anonymousId or userId of their own; ' +
        `for events of no particular user, add the id to the site's "spread", so that they spread over partitions`,
    }))
  const [hottest] = skew.partitions
  if (warnings.length === 0 && hottest && hottest.share >= Math.max(HOT_PARTITION, HOT_PARTITION_TIMES / partitions))
    warnings.push({
      what: `partition ${hottest.partition} has ${percent(hottest.share)} of all messages`,
      todo: 'several heavy visitors fall into one partition: see the visitors below, and whether they are people',
    })
  return warnings
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
