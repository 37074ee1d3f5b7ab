import type { SupervisorSettings } from './settings.js'

/** Creates the output of `npm start` in the terminal. */
export function createReport(out: { write(text: string): unknown }) {
  const line = (text = '') => out.write(`${text}\n`)
  const begun = Date.now()
  const seconds = () => `${((Date.now() - begun) / 1000).toFixed(1)} s`

  return {
    note: (text: string) => line(`  ${text}`),
    starting: (dataDir: string) => line(`\nSlotstream is starting. Data: ${dataDir}\n`),
    ready: (name: string, where: string) => line(`  ✓ ${name.padEnd(12)} ${where.padEnd(28)} ${seconds()}`),
    died: (name: string, how: string, pauseMs: number, logFile: string) =>
      line(`  ✗ ${name.padEnd(12)} ended (${how}), starts again in ${pauseMs} ms. Its log: ${logFile}`),
    stuck: (name: string, logFile: string) =>
      line(`  ✗ ${name.padEnd(12)} gives no sign of life and is killed. Is the disk full? Its log: ${logFile}`),
    /** @param adminToken the token when it was just made, later where it is */
    allReady(settings: SupervisorSettings, adminToken: string) {
      const collector = `http://localhost:${settings.port}`
      line(`\nReady in ${seconds()}.\n`)
      line(`  Demo shop     ${collector}/demo/`)
      line(`  Script tag    <script async src="${collector}/sdk.js" data-write-key="demo"></script>`)
      if (!settings.clickhouseUrl)
        line(
          `  SQL           curl http://localhost:${settings.clickhousePort}/ -d 'SELECT count() FROM slotstream.events'`,
        )
      line(`  Admin token   ${adminToken}`)
      line(
        '  Keys          the demo site has no secret keys: "demo" may send everything, also other people\'s ids and old',
      )
      line('                times. Give a site of your own secretKeys and an identitySecret: docs/security.md')
      line(`  Stop          Ctrl-C\n`)
    },
  }
}

export type Report = ReturnType<typeof createReport>
