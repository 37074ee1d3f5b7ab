import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { small } from './sdk/build/small.js'

/** Plugins that the script doesn't carry: a file of its own for each, loaded when the plugin is switched on. */
const namesIn = folder =>
  readdirSync(`sdk/dist/esm/${folder}`)
    .filter(file => file.endsWith('.js'))
    .map(file => `${folder}/${basename(file, '.js')}`)
const together = namesIn('entries/script')
const alone = ['capture', 'content', 'tools']
  .flatMap(room => namesIn(`plugins/${room}`))
  .filter(name => !['page-views', 'slots', 'filler', 'impressions'].includes(basename(name)))

/** Chunks for modules that several files of the npm package need. Every page loads `core` at once. */
const CHUNKS = [
  ['personalize', /personaliz|slots.(ask-with|carried|no-decision)/],
  [
    'core',
    /esm.(version|client.(api|calls|client|consent|middleware|options|start)|capture.(context|flood|identity|of-document|sessions|view)|delivery.(body|delivery|life-cycle|message-ids|numbered|outbox|parse|database.(event-store|indexed-tables|resilient-tables|tables))|plugins.(lazy-plugins|names|capture.page-views)|platform.(?!viewing)[\w-]+|slots.(after-slots|handed-over|has-slot))\.js/,
  ],
]

/** The script tag runs in pages only. */
const inPages = {
  name: 'in-pages',
  load: id => (/platform.in-browser\.js$/.test(id) ? 'export const inBrowser = () => true' : null),
}

/** The browser package, from what `tsc -b` made of it. */
export default [
  // The script tag, and the same with Segment's names.
  ...[
    ['script', 'slotstream'],
    ['segment', 'analytics'],
  ].map(([entry, name]) => ({
    input: `sdk/dist/esm/entries/${entry}.js`,
    plugins: [inPages, nodeResolve({ browser: true }), small],
    output: {
      file: `sdk/dist/${name}.js`,
      format: 'iife',
      sourcemap: 'hidden',
      freeze: false,
      generatedCode: { preset: 'es2015', symbols: false },
    },
  })),
  ...[...together, ...alone].map(name => ({
    input: `sdk/dist/esm/${name}.js`,
    plugins: [nodeResolve({ browser: true }), small],
    output: { file: `sdk/dist/${basename(name)}.js`, format: 'es', sourcemap: 'hidden', generatedCode: 'es2015' },
  })),
  {
    // Alone, so that a worker needs one file, by `importScripts` as by `import`.
    input: 'sdk/dist/esm/entries/service-worker.js',
    plugins: [nodeResolve({ browser: true }), small],
    output: { file: 'sdk/dist/service-worker.js', format: 'iife', sourcemap: true, generatedCode: 'es2015' },
  },
  {
    // For servers: legible, and with nothing of what browsers run.
    input: 'sdk/dist/esm/entries/server.js',
    plugins: [nodeResolve()],
    output: { file: 'sdk/dist/npm/server.js', format: 'es', sourcemap: true, generatedCode: 'es2015' },
  },
  {
    // Asking for content apart from the rest, so that a bundler can leave it out of a page that doesn't.
    input: {
      index: 'sdk/dist/esm/entries/index.js',
      parts: 'sdk/dist/esm/entries/parts.js',
      react: 'sdk/dist/esm/entries/react.js',
      'session-features': 'sdk/dist/esm/entries/session-features.js',
    },
    // The protocol isn't published: the code used of it goes into the files.
    external: ['react'],
    plugins: [nodeResolve({ browser: true }), small],
    output: {
      dir: 'sdk/dist/npm',
      format: 'es',
      sourcemap: true,
      chunkFileNames: '[name].js',
      // For frameworks that run components on the server only, unless a file says otherwise.
      banner: ({ name }) => (name === 'react' ? "'use client'" : ''),
      onlyExplicitManualChunks: true,
      manualChunks: id => CHUNKS.find(([, modules]) => modules.test(id))?.[0],
    },
  },
]
