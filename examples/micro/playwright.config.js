import { fileURLToPath } from 'node:url'
import { defineConfig } from '@playwright/test'

const { WEBSITE_PORT = '8080', MICRO_PORT = '3000', CHROMIUM } = process.env

/** Starts the website and the small collector, runs the tests, and ends both. */
export default defineConfig({
  testMatch: '*.spec.js',
  reporter: 'list',
  // Tests look at one collector; two at a time would see each other's messages.
  workers: 1,
  // Machines of a CI are slow; a test that passes takes a second or two.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: {
    baseURL: `http://localhost:${WEBSITE_PORT}`,
    launchOptions: CHROMIUM ? { executablePath: CHROMIUM, args: ['--no-sandbox'] } : {},
  },
  metadata: { micro: `http://localhost:${MICRO_PORT}` },
  webServer: [
    {
      command: 'node website.js',
      url: `http://localhost:${WEBSITE_PORT}`,
      // A machine of a CI may need longer for a slot than visitors are to wait.
      env: { PORT: WEBSITE_PORT, COLLECTOR: `http://localhost:${MICRO_PORT}`, SLOT_TIMEOUT: '20000' },
    },
    {
      command: 'npm --prefix ../.. run --silent micro',
      url: `http://localhost:${MICRO_PORT}/readyz`,
      env: { PORT: MICRO_PORT, LOG_LEVEL: 'warn', MICRO_SLOTS: fileURLToPath(new URL('slots.json', import.meta.url)) },
      // The first start builds it.
      timeout: 180_000,
    },
  ],
})
