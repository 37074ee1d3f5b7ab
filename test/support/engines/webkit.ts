import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { Builder, type WebDriver } from 'selenium-webdriver'
import { freePorts } from '../free-ports.js'
import { until } from '../until.js'
import type { Browser, Engine, Tab } from './engine.js'
import { obtainProgram } from './obtain.js'
import { visitWith } from './visit.js'

/** Where Debian keeps MiniBrowser: in a folder that names the machine and the API's version. */
const LIBRARIES = '/usr/lib'

/** Safari's engine, in WebKitGTK's MiniBrowser. It needs a display, which it gets from Xvfb. */
export async function webkit(): Promise<Engine> {
  const driver = await obtainProgram(['WebKitWebDriver'], 'webkit2gtk-driver')
  const xvfb = await obtainProgram(['Xvfb'], 'xvfb')
  const miniBrowser = await obtainProgram(['MiniBrowser'], 'webkit2gtk-driver', miniBrowserFolders())

  return {
    name: 'WebKit',
    async launch() {
      const display = await startDisplay(xvfb)
      const [port] = await freePorts(1)
      const server = visitWith(driver, [`--port=${port}`], { DISPLAY: display.name })
      const url = `http://127.0.0.1:${port}`
      await until(
        'WebKitWebDriver answers',
        () => fetch(`${url}/status`),
        response => response.ok,
      )
      const session = await new Builder()
        .usingServer(url)
        .withCapabilities({
          browserName: 'MiniBrowser',
          'webkitgtk:browserOptions': {
            binary: miniBrowser,
            args: ['--automation'],
          },
        })
        .build()
      await session.manage().setTimeouts({ script: 60_000 })
      const browser = driven(session, await session.getWindowHandle())
      return {
        ...browser,
        async close() {
          await browser.close()
          await server.kill()
          await display.stop()
        },
      }
    },
    // Under automation MiniBrowser keeps no profile; as a person's browser it does.
    async visit(profile, url) {
      const display = await startDisplay(xvfb)
      const folders = {
        XDG_DATA_HOME: profile,
        XDG_CACHE_HOME: `${profile}/cache`,
        XDG_CONFIG_HOME: `${profile}/config`,
      }
      const visit = visitWith(miniBrowser, [url], { DISPLAY: display.name, ...folders })
      return {
        async kill() {
          await visit.kill()
          await display.stop()
        },
      }
    },
  }
}

function miniBrowserFolders(): string[] {
  try {
    return readdirSync(LIBRARIES).flatMap(machine => [
      `${LIBRARIES}/${machine}/webkit2gtk-4.1`,
      `${LIBRARIES}/${machine}/webkit2gtk-4.0`,
      `${LIBRARIES}/${machine}/webkitgtk-6.0`,
    ])
  } catch {
    return []
  }
}

/** A screen that is not shown. */
async function startDisplay(xvfb: string) {
  const child = spawn(xvfb, ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const gone = new Promise(resolve => child.once('exit', resolve))
  let number = ''
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    number += chunk
  })
  await until(
    'Xvfb has a display',
    () => number,
    text => text.endsWith('\n'),
  )
  return {
    name: `:${number.trim()}`,
    async stop() {
      child.kill('SIGTERM')
      await gone
    },
  }
}

/**
 * A browser that WebDriver controls: one tab at a time, so calls wait for each other.
 *
 * @param first the tab it began with, which stays: a browser without tabs ends
 */
function driven(session: WebDriver, first: string): Browser {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(handle: string, run: () => Promise<T>): Promise<T> => {
    const done = last.then(async () => {
      await session.switchTo().window(handle)
      return run()
    })
    last = done.catch(() => {})
    return done
  }
  const tab = (handle: string): Tab => ({
    goto: url => inTurn(handle, () => session.get(url)),
    reload: () => inTurn(handle, () => session.navigate().refresh()),
    evaluate: <T, A extends unknown[]>(run: (...args: A) => T | Promise<T>, ...args: A) =>
      inTurn(handle, async () => {
        const done: { value: T; error?: string } = await session.executeAsyncScript(
          `const done = arguments[arguments.length - 1]
           Promise.resolve().then(() => (${run})(...[...arguments].slice(0, -1))).then(
             value => done({ value }),
             error => done({ error: String(error) }))`,
          ...args,
        )
        if (done.error) throw new Error(done.error)
        return done.value
      }),
    close: () => inTurn(handle, () => session.close()),
  })
  return {
    async open(url) {
      const handle = await inTurn(first, async () => {
        await session.switchTo().newWindow('tab')
        await session.get(url)
        return session.getWindowHandle()
      })
      return tab(handle)
    },
    close: () => session.quit(),
  }
}
