import express, { type Router } from 'express'
import type { Good, Kept } from './kept.js'
import { FILTERS } from './micro-paths.js'

/** `/micro/…`: what came, for tests to look at. */
export function microRoutes(kept: Kept): Router {
  const router = express.Router()
  router.use((_request, response, next) => {
    // A test may ask from within the page that it tests.
    response.set({ 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' })
    next()
  })
  router.get('/all', (_request, response) => void response.json(kept.counts()))
  router.get('/good', ({ query }, response) => {
    const asked = FILTERS.filter(field => typeof query[field] === 'string')
    const isAskedFor = (message: Good) => asked.every(field => message[field] === query[field])
    response.json(kept.good().filter(isAskedFor))
  })
  router.get('/bad', (_request, response) => void response.json(kept.bad()))
  // GET, too, so that a browser's address bar will do.
  for (const method of ['get', 'post'] as const)
    router[method]('/reset', (_request, response) => {
      kept.reset()
      response.json(kept.counts())
    })
  return router
}
