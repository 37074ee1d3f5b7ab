import { benchCollector } from './collector/collector.js'
import { benchCompare } from './compare/compare.js'
import { benchConditions } from './conditions/conditions.js'
import { benchFlood } from './flood/flood.js'
import { benchFreshness } from './freshness/freshness.js'
import { benchGuard } from './guard/guard.js'
import { benchIngest } from './ingest/ingest.js'
import { ArgumentError, readArguments } from './options.js'
import { benchPipeline } from './pipeline/pipeline.js'
import { benchPolicies } from './policies/policies.js'
import { benchProfiles } from './profiles/profiles.js'
import { benchQueries } from './queries/queries.js'
import { benchRegret } from './regret/regret.js'
import { benchFirstViews } from './sdk/first-views.js'
import { benchSdk } from './sdk/sdk.js'
import { benchFullSlots } from './slots/full-slots.js'
import { benchSlots } from './slots/slots.js'
import { machineFacts } from './support/machine.js'

const BENCHES = {
  ingest: benchIngest,
  collector: benchCollector,
  freshness: benchFreshness,
  slots: benchSlots,
  'full-slots': benchFullSlots,
  flood: benchFlood,
  pipeline: benchPipeline,
  queries: benchQueries,
  guard: benchGuard,
  conditions: benchConditions,
  profiles: benchProfiles,
  policies: benchPolicies,
  regret: benchRegret,
  sdk: benchSdk,
  'first-views': benchFirstViews,
  compare: benchCompare,
}

try {
  const { names, options } = readArguments(process.argv.slice(2), Object.keys(BENCHES))
  console.log(`${machineFacts()}\n`)
  for (const [name, bench] of Object.entries(BENCHES))
    if (names.includes(name)) console.log(`${await bench(options)}\n`)
} catch (error) {
  if (!(error instanceof ArgumentError)) throw error
  console.error(error.message)
  process.exit(1)
}
