import { createServerClient } from 'slotstream/server'

/** The client of the collector, for the server only: one for all requests. */
export const slotstream = createServerClient({
  endpoint: process.env.SLOTSTREAM_URL ?? 'http://localhost:3000',
  writeKey: 'demo',
  // For pages of signed-in people, with their `userId`: a secret key in place of the write key.
  // secretKey: process.env.SLOTSTREAM_SECRET_KEY,
  timeout: 200,
  cookie: { secure: process.env.NODE_ENV === 'production' },
})
