import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { launch } from 'puppeteer-core'
import type { Engine } from './engine.js'
import { obtainProgram } from './obtain.js'
import { puppeteerBrowser } from './puppeteer.js'
import { visitWith } from './visit.js'

/**
 * Keeps Firefox from asking, from looking for its maker's servers, and from offering to repair a session that was
 * killed.
 */
const PREFERENCES = {
  'browser.sessionstore.resume_from_crash': false,
  'toolkit.startup.max_resumed_crashes': -1,
  'browser.shell.checkDefaultBrowser': false,
  'browser.aboutwelcome.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'app.normandy.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
}

/** Gecko, in Debian's Firefox ESR or whatever Firefox is there. */
export async function firefox(): Promise<Engine> {
  const program = await obtainProgram(['firefox-esr', 'firefox'], 'firefox-esr')
  return {
    name: 'Firefox',
    launch: async () =>
      puppeteerBrowser(await launch({ browser: 'firefox', executablePath: program, extraPrefsFirefox: PREFERENCES })),
    async visit(profile, url) {
      const lines = Object.entries(PREFERENCES).map(
        ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
      )
      await writeFile(join(profile, 'user.js'), lines.join('\n'))
      return visitWith(program, ['--headless', '--no-remote', '--profile', profile, url])
    },
  }
}
