import { nodeResolve } from '@rollup/plugin-node-resolve'
import terser from '@rollup/plugin-terser'

/**
 * Takes out of `web-vitals` what only its option `reportSoftNavs` uses, which the script never sets: 0.4 KB. The option
 * can't be known to be off from the outside, because the code that reads it is written for any caller.
 */
const withoutSoftNavigations = {
  name: 'without-soft-navigations',
  transform(code, id) {
    if (!/web-vitals\/dist\/modules\/on[A-Z]+\.js$/.test(id)) return null
    if (!code.includes('checkSoftNavsEnabled(opts)')) this.error('web-vitals has changed: see rollup.config.js')
    return {
      code: code
        .replaceAll('checkSoftNavsEnabled(opts)', 'false')
        .replaceAll("entry.entryType === 'soft-navigation'", 'false')
        .replaceAll("entry.entryType !== 'soft-navigation'", 'true')
        .replaceAll("entry.entryType === 'interaction-contentful-paint'", 'false')
        .replaceAll('opts.reportAllChanges', 'false')
        .replace(/const softNavsEnabled = false;/g, '')
        .replace(/\bsoftNavsEnabled\b/g, 'false'),
      map: null,
    }
  },
}

/** `web-vitals` as its single modules, of which the bundler can leave out parts. */
const modularVitals = {
  name: 'modular-vitals',
  resolveId(source, importer) {
    return source === 'web-vitals'
      ? this.resolve('web-vitals/onCLS.js', importer).then(resolved => resolved?.id.replace(/onCLS\.js$/, 'index.js'))
      : null
  },
}

/** The browser package, from what `tsc -b` made of it. */
export default [
  {
    input: 'sdk/dist/esm/script.js',
    // What `idb` adds to databases and cursors by this function isn't used.
    treeshake: { manualPureFunctions: ['replaceTraps'] },
    plugins: [
      modularVitals,
      withoutSoftNavigations,
      nodeResolve({ browser: true }),
      // Names that begin with an underscore are private by the convention of `web-vitals`.
      terser({
        ecma: 2020,
        module: true,
        compress: { passes: 4, unsafe_arrows: true, unsafe_methods: true, keep_fargs: false, pure_getters: true },
        mangle: { properties: { regex: /^_[a-z]/ } },
      }),
    ],
    output: { file: 'sdk/dist/slotstream.js', format: 'iife', sourcemap: true, generatedCode: 'es2015' },
  },
  {
    input: 'sdk/dist/esm/index.js',
    // The protocol isn't published: what is used of it becomes part of the file.
    external: ['idb', 'web-vitals'],
    plugins: [nodeResolve({ browser: true })],
    output: { file: 'sdk/dist/index.js', format: 'es', sourcemap: true },
  },
]
