/** Path of a replicated table's state in Keeper: one per shard and table, so that replicas find each other. */
const PATH = `'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'`

/** Replicas remember an insert's token this long, in seconds: as long as late duplicates may come. */
const TOKEN_SECONDS = 7 * 24 * 3600

const NAME = '(?:IF (?:NOT )?EXISTS )?[\\w.`]+'
const HEAD = new RegExp(
  `^((?:\\s*--[^\\n]*\\n)*\\s*(?:CREATE (?:DATABASE|TABLE|VIEW|MATERIALIZED VIEW)|ALTER TABLE|DROP (?:TABLE|VIEW)|TRUNCATE TABLE) ${NAME})`,
)
const ENGINE = /^(\s*ENGINE = )((?:Replacing|Aggregating|Summing|Collapsing)?MergeTree)(?:\(([^()]*)\))?/m
const WINDOW = /\bnon_replicated_deduplication_window = (\d+)/

/**
 * Makes the function that rewrites a statement of ours for a cluster: `ON CLUSTER`, replicated engines, and the window
 * of deduplication that those have. Statements that define nothing stay as they are. The servers need the macros
 * `{shard}` and `{replica}`, as every cluster has them.
 *
 * @param cluster name of the cluster, as in `system.clusters`; '' leaves every statement as it is
 */
export function clusterDdl(cluster: string): (sql: string) => string {
  if (cluster === '') return sql => sql
  const on = ` ON CLUSTER '${cluster.replace(/['\\]/g, '\\$&')}'`
  return sql => {
    if (!HEAD.test(sql)) return sql
    return sql
      .replace(HEAD, (head: string) => head + on)
      .replace(ENGINE, (_all, before: string, engine: string, parameters?: string) => {
        return `${before}Replicated${engine}(${PATH}${parameters ? `, ${parameters}` : ''})`
      })
      .replace(
        WINDOW,
        (_all, blocks: string) =>
          `replicated_deduplication_window = ${blocks}, replicated_deduplication_window_seconds = ${TOKEN_SECONDS}`,
      )
  }
}
