import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { it } from 'vitest'
import { noteShareOf } from '#supervisor/process/processor-share.js'
import { until } from '../../../support/until.js'

const LOOP = 'for (;;) {}'
const LOW_LOOP = `require('node:os').setPriority(19); ${LOOP}`
const WAIT = 'setInterval(() => {}, 1000)'

const isLinux = existsSync('/proc/self/schedstat')

it.runIf(isLinux)('tells a process that waits for the processor from an idle one', async () => {
  const others = Array.from({ length: availableParallelism() * 2 }, () => LOOP)
  const children = [LOW_LOOP, WAIT, ...others].map(
    (program): ChildProcess => spawn(process.execPath, ['-e', program], { stdio: 'ignore' }),
  )
  try {
    await until(
      'the busy one starves, and the idle one does not',
      async () => {
        const shares = children.slice(0, 2).map(({ pid }) => noteShareOf(pid!))
        await new Promise(resolve => setTimeout(resolve, 500))
        return shares.map(isStarved => isStarved())
      },
      ([busy, idle]) => busy === true && idle === false,
    )
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
})
