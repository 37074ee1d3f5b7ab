import { expect, it } from 'vitest'
import { obtainChromium } from '#supervisor/obtain/chromium.js'
import { machineDouble } from './machine-double.js'

const obtainOn = ({ machine }: ReturnType<typeof machineDouble>) =>
  obtainChromium({ dataDir: '/nowhere', log: () => undefined, machine })

it('takes the browser that CHROMIUM_PATH names', async () => {
  const versions = { '/mine/chrome': 'Chromium 150', '/usr/bin/chromium': 'Chromium 140' }
  expect(await obtainOn(machineDouble({ versions, env: { PATH: '/usr/bin', CHROMIUM_PATH: '/mine/chrome' } }))).toBe(
    '/mine/chrome',
  )
})

it('passes over a stub that only says how to install the browser', async () => {
  const { machine, ...double } = machineDouble({
    versions: { '/usr/bin/chromium-browser': '', '/usr/bin/google-chrome': 'Google Chrome 140' },
  })
  const run: typeof machine.run = (command, args, options) =>
    command.endsWith('chromium-browser')
      ? Promise.reject(new Error('install the snap'))
      : machine.run(command, args, options)
  expect(await obtainOn({ ...double, machine: { ...machine, run } })).toBe('/usr/bin/google-chrome')
})

it('installs the package as root, after refreshing the lists where that is needed', async () => {
  const versions: Record<string, string> = { '/usr/bin/apt-get': '' }
  let refreshed = false
  const double = machineDouble({
    isRoot: true,
    versions,
    on: {
      'apt-get update': () => {
        refreshed = true
        return ''
      },
      'apt-get install -y --no-install-recommends chromium': () => {
        if (!refreshed) throw new Error('E: Unable to locate package chromium')
        versions['/usr/bin/chromium'] = 'Chromium 150'
        return ''
      },
    },
  })
  expect(await obtainOn(double)).toBe('/usr/bin/chromium')
  expect(double.ran.every(({ options }) => options?.env?.DEBIAN_FRONTEND === 'noninteractive')).toBe(true)
})

it('takes the application of a Mac without asking its version', async () => {
  const path = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
  expect(await obtainOn(machineDouble({ platform: 'darwin', versions: { [path]: '' } }))).toBe(path)
})

it('says what was tried and what to type when there is none', async () => {
  const failure = obtainOn(machineDouble({ versions: { '/usr/bin/apt-get': '' } }))
  await expect(failure).rejects.toThrow(
    [
      'Chromium or Chrome was not found and could not be obtained:',
      '  - PATH: not there',
      '  - apt-get: only root may install packages',
      'Type this, then start again:',
      '  sudo apt-get update && sudo apt-get install -y --no-install-recommends chromium',
      'Or name a Chromium or Chrome in CHROMIUM_PATH.',
    ].join('\n'),
  )
})
