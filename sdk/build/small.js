import { minify } from 'terser'
import uglify from 'uglify-js'
import { INTERNAL_NAMES } from './internal-names.js'

const SHORT = new RegExp(`^(${INTERNAL_NAMES.join('|')})$`)

const LETTERS = 'abcdefghijklmnopqrstuvwABCDEFGHIJKLMNOPQRSTUVWXYZxyz_$'

/** The same short names in every file: what one plugin calls, another defines. */
const props = Object.fromEntries(
  INTERNAL_NAMES.map((name, index) => [`$${name}`, LETTERS[index] ?? `$${(index - LETTERS.length).toString(36)}`]),
)

/**
 * Makes the code of a file small. What `terser` leaves, `uglify-js` makes 2 % smaller: it names the innermost
 * functions' variables first, so that their texts are alike, and joins more expressions. Alone it is the worse of the
 * two.
 */
export const small = {
  name: 'small',
  async renderChunk(code, _, { format }) {
    // One keyword for both packs better. As long as the other, so that positions in the source map stay right.
    const short = await minify(code.replace(/\bconst\b/g, 'let  '), {
      ecma: 2020,
      module: true,
      compress: {
        passes: 4,
        unsafe_arrows: true,
        unsafe_methods: true,
        keep_fargs: false,
        pure_getters: true,
        hoist_funs: true,
        inline: 1,
        // uglify joins them better.
        join_vars: false,
        // 'use client'
        directives: false,
      },
      mangle: { properties: { regex: SHORT, builtins: true } },
      nameCache: { props: { props: { ...props } } },
      sourceMap: true,
    })
    const module = format === 'es'
    const {
      code: smaller,
      map,
      error,
    } = uglify.minify(short.code, {
      module,
      toplevel: module,
      // More than that packs worse.
      compress: { passes: 3, inline: 1, varify: false, merge_vars: false, keep_fargs: false, directives: false },
      sourceMap: { content: short.map },
    })
    if (error) throw error
    return { code: smaller, map }
  },
}
