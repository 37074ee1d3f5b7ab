import { createHash } from 'node:crypto'
import { crossFacts, factsOf, learningFeaturesOf, MAX_REWARD, packFeatures, toFixedReward } from '@slotstream/core'
import {
  checkContent,
  isoTime,
  type JsonObject,
  keyToken,
  type LearningEnvelope,
  type LearningRecord,
  streamSubject,
} from '@slotstream/protocol'
import { type CommandDeps, readValue } from '@slotstream/runtime'
import { createImports, type StoredImport } from './imports.js'
import type { Impression } from './logs/impression.js'
import type { ImportCommand } from './parse-arguments.js'
import { factsOfLog, readImpressions } from './read-log.js'

/** Records of a message: half of what NATS takes, with the features of all. */
const RECORDS = 400

/** Ids in records of a log, which name no person. */
const IMPORTED = 'import'

type Deps = Pick<CommandDeps, 'nats' | 'publisher' | 'installation' | 'print'>

/**
 * Lets the policies of a slot learn from a log: each item that was shown is a record of the stream of learning records,
 * as of visitors, but names no person. Its parts have names made of the log's content, so that what is done again, or
 * was cut short, counts once.
 *
 * @throws LogError, Error
 */
export async function importLog(command: ImportCommand, deps: Deps): Promise<void> {
  const { site, slot, name, log, format } = command
  const { buckets } = deps.installation
  const slotEntry = await buckets.catalog.get(`${site}.slot.${keyToken(slot)}`)
  if (slotEntry?.operation !== 'PUT') throw new Error(`the site ${site} has no slot ${slot}`)
  const facts = await factsOfLog(log, format)
  const imports = createImports(buckets.meta)
  const { stored: before, revision } = await imports.read(site, name)
  const hasOther = (await imports.list(site)).find(({ sha256, slotId }) => sha256 === facts.sha256 && slotId === slot)
  if (hasOther && hasOther.name !== name)
    throw new Error(`the slot ${slot} has learned from this log already, as ${hasOther.name}`)
  if (before && before.state !== 'removed') {
    if (before.sha256 !== facts.sha256 || before.slotId !== slot)
      throw new Error(`there is another log of the name ${name}: remove it first, or choose another --name`)
    if (before.state === 'added') return deps.print(`${name}: slot ${slot} has learned from it already`)
    if (before.state === 'removing') throw new Error(`${name} is being removed: finish that first`)
  }
  const now = Date.now()
  const stored: StoredImport =
    before?.state === 'adding'
      ? before
      : {
          ...{ name, slotId: slot, state: 'adding', sha256: facts.sha256, at: isoTime(now), records: facts.records },
          batch: `import-${hashOf([facts.sha256, site, slot, name, String(revision)])}`,
          shiftMs: command.keepTimes ? 0 : now - facts.latest,
          ...(before && { removed: [...(before.removed ?? []), before.batch] }),
        }
  const noted = await imports.write(site, stored, revision)
  await publish(command, stored, deps)
  await imports.write(site, { ...stored, state: 'added' }, noted)
  deps.print(`${name}: slot ${slot} learns from ${stored.records} items shown, within seconds`)
}

async function publish({ site, slot, log, format }: ImportCommand, stored: StoredImport, deps: Deps): Promise<void> {
  const { publisher, installation } = deps
  const recordOf = await createRecordOf(site, slot, stored, installation.buckets.catalog)
  let records: LearningRecord[] = []
  let part = 0
  const send = async () => {
    const batch = `${stored.batch}-${part}`
    const envelope: LearningEnvelope = {
      ...{ siteId: site, visitorId: IMPORTED, anonymousId: '', receivedAt: stored.at, seq: 0, stored: 0 },
      ...{ batch, records },
    }
    const subject = streamSubject('learning', part % installation.partitions)
    await publisher.publish(subject, JSON.stringify(envelope), batch)
    records = []
    part++
  }
  for await (const impression of readImpressions(log, format)) {
    records.push(recordOf(impression))
    if (records.length >= RECORDS) await send()
  }
  if (records.length > 0) await send()
}

/** Creates the function that makes a record of an item that was shown; contents that the site has, with their facts. */
async function createRecordOf(
  siteId: string,
  slotId: string,
  { shiftMs, batch }: StoredImport,
  catalog: Deps['installation']['buckets']['catalog'],
): Promise<(impression: Impression) => LearningRecord> {
  const factsById = new Map<string, ReturnType<typeof factsOf>>()
  for await (const key of await catalog.keys(`${siteId}.content.*`)) {
    const { value: content } = await readValue(catalog, key, checkContent)
    if (content) factsById.set(content.id, factsOf(content))
  }
  return ({ contentId, position, at, reward, context }) => {
    const content = factsById.get(contentId) ?? { id: contentId, category: '' }
    factsById.set(contentId, content)
    const bounded = Math.max(-MAX_REWARD, Math.min(MAX_REWARD, reward))
    const features = packFeatures(learningFeaturesOf(crossFacts({ context: context as JsonObject }), content, position))
    const record = { decisionId: batch, slotId, contentId, position, at: Math.max(0, at + shiftMs) }
    return { ...record, reward: toFixedReward(bounded), features }
  }
}

function hashOf(texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16)
}
