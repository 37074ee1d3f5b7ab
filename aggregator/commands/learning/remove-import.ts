import type { ClickHouseClient } from '@clickhouse/client'
import { isoTime, type LearningEnvelope, streamSubject } from '@slotstream/protocol'
import type { CommandDeps } from '@slotstream/runtime'
import { untilLearned } from '../../people/clean/learned-positions.js'
import { clusterDdl } from '../../warehouse/tables/cluster-ddl.js'
import { outcomeMessages } from '../rebuild/models/outcome-rows.js'
import { countImportRows, deleteImportRows } from './import-rows.js'
import { createImports } from './imports.js'

type Deps = Pick<CommandDeps, 'nats' | 'publisher' | 'installation' | 'print'> & {
  clickhouse: ClickHouseClient
  /** Name of the cluster that the tables are on; '' for a single server. */
  cluster: string
}

/**
 * Takes away what policies have learned from a log, part by part, each once; then its rows. Done again after it was cut
 * short, it goes on.
 *
 * @throws Error where there is no such log, or not all of it is in its table yet
 */
export async function removeImport(siteId: string, name: string, deps: Deps): Promise<void> {
  const { clickhouse, installation, nats, publisher, print } = deps
  const imports = createImports(installation.buckets.meta)
  const { stored, revision } = await imports.read(siteId, name)
  if (!stored || stored.state === 'removed') throw new Error(`the site ${siteId} has learned from no log ${name}`)
  if (stored.state === 'adding') throw new Error(`the import of ${name} was cut short: finish it first`)
  const imported = { siteId, batch: stored.batch }
  const rows = await countImportRows(clickhouse, imported)
  if (stored.state === 'added' && rows < stored.records)
    throw new Error(`${rows} of ${stored.records} steps are in learning_outcomes: try again when all are loaded`)
  const noted = await imports.write(siteId, { ...stored, state: 'removing' }, revision)
  for await (const { position, envelope } of outcomeMessages(clickhouse, { batch: stored.batch })) {
    const { batch, receivedAt, records } = envelope
    const removal = `${batch}@${Date.parse(receivedAt)}`
    const removing: LearningEnvelope = {
      ...{ siteId, visitorId: 'import', anonymousId: '', receivedAt: isoTime(Date.now()), seq: 0, stored: 0 },
      ...{ removal, removes: position, records },
    }
    const part = Number(batch!.slice(stored.batch.length + 1))
    const subject = streamSubject('learning', part % installation.partitions)
    await publisher.publish(subject, JSON.stringify(removing), `removal:${removal}`)
  }
  await untilLearned(nats, installation, new AbortController().signal)
  await deleteImportRows(clickhouse, imported, clusterDdl(deps.cluster))
  await imports.write(siteId, { ...stored, state: 'removed' }, noted)
  print(`${name}: slot ${stored.slotId} has learned nothing from it`)
}
