import { defineConfig } from 'vitest/config'

// Unit tests read the sources through the "@slotstream/source" export condition, so they never test a stale build.
// All others start the built programs, as a user would; `npm test` builds first.
const source = {
  resolve: { conditions: ['@slotstream/source', 'module', 'default'] },
  ssr: { resolve: { conditions: ['@slotstream/source', 'node', 'default'] } },
}

/** What is built in the tests' own process, too: Node loads it much faster than sources. */
const built = {
  resolve: {
    alias: [
      { find: /^#sdk\/(.*)$/, replacement: `${import.meta.dirname}/sdk/dist/esm/$1` },
      { find: /^#([\w-]+)\/(.*)$/, replacement: `${import.meta.dirname}/$1/dist/$2` },
    ],
  },
}
const server = { deps: { external: [/\/dist\//] } }

/**
 * A worker loads modules once for all its files: for each they took longer than many of the tests. A file ends what it
 * began, and puts back what it changed in its process.
 */
const SHARED = { isolate: false }

// All run on one nats-server, a current one where it can be had, and the report says which.
const globalSetup = ['test/support/global-setup.ts']

// Real browsers on a shared machine: in CI a test of these that fails is tried once more, and the report says so. On a
// developer's machine it isn't. Nothing else is tried twice.
const retry = process.env.CI ? 1 : 0

/** Unit tests that need a document, each in a fresh one. */
const DOM = [
  'test/unit/sdk/growth.test.ts',
  'test/unit/sdk/{page,slots,react,inspector,plugins}/**/*.test.ts',
  'test/unit/sdk/client/consent*.test.ts',
]

/** What must hold for whatever is made up, and in the mean of many runs, which takes longer than examples. */
const PROPERTIES = ['test/unit/**/*-{properties,simulations}.test.ts']

/** Tests with ClickHouse's engine in their own process, which takes one data folder in its life. */
const ENGINE = ['test/security/clickhouse-{functions,fuzz,grants,permitted}.test.ts']

/** What is polled for may take a while on a busy machine: a second, as by default, is too short. */
const PATIENT = { poll: { timeout: 15_000 } }

/** Vitest leaves a core to itself, which does next to nothing. */
const BOTH_CORES = { maxWorkers: 2 }

/**
 * Two files at a time: they wait for processes and browsers that they started most of the time. Three take as long on
 * two cores, and each of them longer.
 */
const SIDE_BY_SIDE = { fileParallelism: true, ...BOTH_CORES }

export default defineConfig({
  test: {
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['test/unit/**/*.test.ts'],
          exclude: [...DOM, ...PROPERTIES],
          // Nothing of these lives past its test, so modules are loaded once for all of them.
          pool: 'threads',
          isolate: false,
          // On a machine that is busy with other things a second of work takes ten.
          testTimeout: 60_000,
          ...BOTH_CORES,
        },
      },
      {
        ...source,
        test: {
          name: 'dom',
          sequence: { groupOrder: 0 },
          environment: 'jsdom',
          include: DOM,
          testTimeout: 60_000,
          ...BOTH_CORES,
        },
      },
      {
        ...source,
        test: {
          name: 'properties',
          sequence: { groupOrder: 0 },
          include: PROPERTIES,
          testTimeout: 60_000,
          ...BOTH_CORES,
        },
      },
      {
        ...built,
        test: {
          name: 'integration',
          globalSetup,
          server,
          sequence: { groupOrder: 1 },
          expect: PATIENT,
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          ...SHARED,
          ...SIDE_BY_SIDE,
        },
      },
      {
        ...source,
        test: {
          name: 'browser',
          globalSetup,
          retry,
          expect: PATIENT,
          sequence: { groupOrder: 2 },
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          ...SIDE_BY_SIDE,
        },
      },
      {
        ...built,
        test: {
          name: 'security',
          globalSetup,
          server,
          sequence: { groupOrder: 1 },
          expect: PATIENT,
          include: ['test/security/**/*.test.ts'],
          exclude: ENGINE,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          ...SHARED,
          ...SIDE_BY_SIDE,
        },
      },
      {
        ...built,
        test: {
          name: 'engine',
          server,
          sequence: { groupOrder: 1 },
          include: ENGINE,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          ...SIDE_BY_SIDE,
        },
      },
      {
        ...source,
        test: {
          name: 'chaos',
          globalSetup,
          sequence: { groupOrder: 3 },
          include: ['test/chaos/**/*.test.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
})
