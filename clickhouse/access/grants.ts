import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The grants of the engine's own user, which hold whatever the spelling of a statement. All its connections are one
 * user, so that this is the most that any of ours needs. Left out is every source outside (files, addresses, other
 * databases and lakes), the engines that reach one, dictionaries, functions, named collections, users, backups and
 * SYSTEM.
 */
const GRANTS = [
  'SELECT',
  'SHOW',
  'INSERT',
  'ALTER',
  'CREATE DATABASE',
  'CREATE TABLE',
  'CREATE VIEW',
  'CREATE TEMPORARY TABLE',
  'DROP',
  'UNDROP TABLE',
  'TRUNCATE',
  'OPTIMIZE',
  'CHECK',
  'KILL QUERY',
  'dictGet',
]

/** Which rows of a table its readers see. */
export interface RowPolicy {
  database: string
  table: string
  /** An SQL expression. */
  filter: string
}

/**
 * Settings of statements that set nothing else. Of a join, the smaller side is read first, and tells by an index what
 * the other side need not read; sizes seen in earlier queries of other periods must not turn the sides round. The index
 * is not used where patch parts could lie beside any part that a mutation ever changed; nothing here makes patch parts.
 * A text beside a value of another type stays a text: it would be read as a state of a function beside one.
 */
const DEFAULTS = {
  enable_join_runtime_filters_index_analysis: 1,
  use_hash_table_stats_for_join_reordering: 0,
  apply_patch_parts: 0,
  cast_string_to_variant_use_inference: 0,
}

const ACCESS_FOLDER = 'access-of-slotstream'

/**
 * Writes the engine's configuration into the data folder, at each start.
 *
 * @param folder data folder of the engine
 * @param policies rows that statements see, whatever their spelling
 * @returns arguments for opening a connection
 */
export function writeGrants(folder: string, policies: readonly RowPolicy[] = []): string[] {
  const accessFolder = join(folder, ACCESS_FOLDER)
  mkdirSync(accessFolder, { recursive: true, mode: 0o700 })
  const [config, users] = [join(accessFolder, 'config.xml'), join(accessFolder, 'users.xml')]
  const queries = GRANTS.map(grant => `<query>GRANT ${grant} ON *.*</query>`).join('')
  const defaults = Object.entries(DEFAULTS).map(([name, value]) => `<${name}>${value}</${name}>`)
  writeFileSync(
    users,
    `<clickhouse>
  <profiles><default>${defaults.join('')}</default></profiles>
  <quotas><default></default></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <databases>${policies.map(policyXml).join('')}</databases>
      <grants>${queries}</grants>
    </default>
  </users>
</clickhouse>
`,
    { mode: 0o600 },
  )
  writeFileSync(config, `<clickhouse><users_config>${escapeXml(users)}</users_config></clickhouse>\n`, { mode: 0o600 })
  return [`--config-file=${config}`]
}

function policyXml({ database, table, filter }: RowPolicy): string {
  return `<${database}><${table}><filter>${escapeXml(filter)}</filter></${table}></${database}>`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
