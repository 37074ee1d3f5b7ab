import { parseArgs } from 'node:util'
import { findAdminToken } from './admin-token.js'
import { createClient } from './client.js'
import { ReplayError } from './errors.js'
import { replayOpenBandit } from './replay.js'
import { describeReplay } from './summary.js'

const USAGE = `npm run replay -- open-bandit PATH [options]

Replays a log of the Open Bandit Dataset into a running system. PATH is the log's CSV file or the folder it is in.
Running it again changes nothing: it also finishes a replay that was interrupted.

  --collector URL   the collector, default http://localhost:3000
  --site ID         the site to fill, default open-bandit; it is made unless it is there
  --write-key KEY   that site's write key, default the site's id
  --policy NAME     name of the policy that drew, for the decisions' records, default random

ADMIN_TOKEN: the admin token; without it, the one that npm start keeps under DATA_DIR (default .data).
`

try {
  const { values, positionals } = readArguments()
  const [format, path] = positionals
  if (values.help) process.stdout.write(USAGE)
  else if (format !== 'open-bandit' || path === undefined || positionals.length > 2) throw new ReplayError(USAGE)
  else {
    const siteId = values.site
    if (!/^[a-z0-9-]{1,64}$/.test(siteId))
      throw new ReplayError(`--site is "${siteId}": it must be 1–64 small letters, digits or hyphens`)
    const writeKey = values['write-key'] ?? siteId
    const collector = values.collector.replace(/\/+$/, '')
    const client = createClient({ collector, writeKey, adminToken: await findAdminToken(process.env) })
    const output = process.stdout
    const summary = await replayOpenBandit({ path, siteId, writeKey, policy: values.policy, client, output })
    output.write(describeReplay(summary, siteId))
  }
} catch (error) {
  process.stderr.write(`${error instanceof ReplayError ? error.message : ((error as Error).stack ?? error)}\n`)
  // Not only the code: lanes that are still sending would otherwise keep the process alive.
  process.exit(1)
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        collector: { type: 'string', default: 'http://localhost:3000' },
        site: { type: 'string', default: 'open-bandit' },
        'write-key': { type: 'string' },
        policy: { type: 'string', default: 'random' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new ReplayError(`${(error as Error).message}\n\n${USAGE}`)
  }
}
