import { expect, it } from 'vitest'
import { watch } from '#supervisor/process/watchdog.js'
import { until } from '../../../support/until.js'

it('calls a part stuck after six misses in a row, once', async () => {
  let asked = 0
  let stuck = 0
  const answers = [true, false, false, false, true, ...Array.from({ length: 20 }, () => false)]
  const end = watch(
    async () => answers[asked++] ?? true,
    () => stuck++,
    undefined,
    1,
  )
  await until(
    'it is stuck',
    () => stuck,
    times => times > 0,
  )
  expect(asked).toBe(5 + 6)
  end()
  await new Promise(resolve => setTimeout(resolve, 20))
  expect({ asked, stuck }).toEqual({ asked: 5 + 6, stuck: 1 })
})

it('counts an error as a miss', async () => {
  let stuck = 0
  watch(
    () => Promise.reject(new Error('connection refused')),
    () => stuck++,
    undefined,
    1,
  )
  await until(
    'it is stuck',
    () => stuck,
    times => times === 1,
  )
})

it('asks no more when it was ended, also while an answer is awaited', async () => {
  let stuck = 0
  let asked = 0
  let answer = (_alive: boolean) => {}
  const end = watch(
    () => {
      asked++
      return new Promise(resolve => {
        answer = resolve
      })
    },
    () => stuck++,
    undefined,
    1,
  )
  await until(
    'it was asked',
    () => asked,
    times => times === 1,
  )
  end()
  answer(false)
  await new Promise(resolve => setTimeout(resolve, 20))
  expect({ asked, stuck }).toEqual({ asked: 1, stuck: 0 })
})

it('has six times the patience while the machine keeps a part from answering', async () => {
  let asked = 0
  let stuck = 0
  watch(
    async () => {
      asked++
      return false
    },
    () => stuck++,
    () => () => true,
    1,
  )
  await until(
    'it is stuck',
    () => stuck,
    times => times > 0,
  )
  expect({ asked, stuck }).toEqual({ asked: 36, stuck: 1 })
})
