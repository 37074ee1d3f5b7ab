import express, { type Router } from 'express'
import { readBody } from '../http/body/read-body.js'
import { Failure } from '../http/failure.js'
import type { Good, MessageMemory } from './message-memory.js'
import { FILTERS } from './micro-paths.js'
import { type AnswerSlots, parseSlotAnswers } from './slot-answers.js'

/** Largest body of answers to slots, in bytes. */
const MAX_SLOTS_BYTES = 1024 * 1024

/** `/micro/…`: what came, for tests to look at, and what slots are answered, for tests to say. */
export function microRoutes(memory: MessageMemory, answering: Pick<AnswerSlots, 'use'>): Router {
  const router = express.Router()
  router.use((_request, response, next) => {
    // A test may ask from within the page that it tests.
    response.set({ 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' })
    next()
  })
  router.get('/all', (_request, response) => void response.json(memory.counts()))
  router.get('/good', ({ query }, response) => {
    const filters = FILTERS.filter(field => typeof query[field] === 'string')
    const isAskedFor = (message: Good) => filters.every(field => message[field] === query[field])
    response.json(memory.good().filter(isAskedFor))
  })
  router.get('/bad', (_request, response) => void response.json(memory.bad()))
  router.put('/slots', async (request, response) => {
    const { value } = await readBody(request, MAX_SLOTS_BYTES)
    const checked = parseSlotAnswers(value)
    if (!checked.ok) throw new Failure('malformed', checked.reason)
    answering.use(checked.value)
    response.json({ slots: [...checked.value.keys()] })
  })
  // GET, too, so that a browser's address bar will do.
  for (const method of ['get', 'post'] as const)
    router[method]('/reset', (_request, response) => {
      memory.reset()
      answering.use()
      response.json(memory.counts())
    })
  return router
}
