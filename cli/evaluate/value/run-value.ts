import { createReadStream } from 'node:fs'
import { type DecisionLog, needsOf } from '@slotstream/core'
import type { Environment } from '@slotstream/runtime/settings'
import { clickHouseSettings } from '@slotstream/sources'
import { CommandError } from '@slotstream/tracking-plan'
import type { ClickHouseAddress } from '../../clickhouse-query.js'
import { contentsOfVersions } from '../draws/contents-of-versions.js'
import { type DecisionSelection, exportDecisions, siteOf } from '../log/export-decisions.js'
import { type LogNeeds, readLog } from '../log/read-log.js'
import type { ValueCommand } from '../parse-arguments.js'
import { evaluatePolicy, type NamedPolicy } from './evaluate-policy.js'
import { readContents, readPolicy } from './policy-file.js'
import { writeValue } from './write-value.js'

/** Bytes that are read at once. */
const CHUNK_BYTES = 2 ** 20

/**
 * Values a policy by a log, and returns what is to be printed.
 *
 * @param env says where ClickHouse is
 * @throws CommandError when a log or file cannot be read
 */
export async function runValue(
  { log: source, policy: name, content, clip, json }: ValueCommand,
  env: Environment,
): Promise<string> {
  const policy = name === 'uniform' || name === 'default' ? name : await readPolicy(name)
  const contents = await readContents(content)
  const needs = logNeeds(policy)
  const log =
    typeof source === 'string'
      ? await readLog(chunksOf(source), source, needs)
      : await readStored(source, needs, clickHouseSettings(env))
  const value = evaluatePolicy(log, policy, contents, clip)
  return json ? JSON.stringify(value.report) : writeValue(value)
}

/** Reads the log of a slot from ClickHouse. */
async function readStored(
  selection: DecisionSelection,
  needs: LogNeeds,
  clickhouse: ClickHouseAddress,
): Promise<DecisionLog> {
  const site = await siteOf(selection, clickhouse)
  const chunks = exportDecisions({ ...selection, site }, clickhouse)
  return readLog(chunks, `decisions of ${selection.slot}`, needs, contentsOfVersions(site, selection.slot, clickhouse))
}

/** Returns what of a log a policy is valued by beside what was shown. */
function logNeeds(policy: NamedPolicy): LogNeeds {
  if (policy === 'uniform') return { time: false, affinities: false, known: false }
  const { sums, items, affinities, features, segments } = needsOf(policy === 'default' ? undefined : policy)
  return { time: sums || items, affinities, known: features || segments || items }
}

async function* chunksOf(file: string): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(file, { highWaterMark: CHUNK_BYTES })
  try {
    yield* stream
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`)
  }
}
