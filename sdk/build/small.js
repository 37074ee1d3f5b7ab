import { minify } from 'terser'
import { INTERNAL_NAMES } from './internal-names.js'

/** Names that begin with an underscore are private by the convention of `web-vitals`. */
const SHORT = new RegExp(`^(_[a-z].*|${INTERNAL_NAMES.join('|')})$`)

const LETTERS = 'abcdefghijklmnopqrstuvwABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** The same short names in every file: what one part calls, another defines. */
const props = Object.fromEntries(
  INTERNAL_NAMES.map((name, index) => [`$${name}`, LETTERS[index] ?? `$${index.toString(36)}`]),
)

/** Makes the code of a file small. */
export const small = {
  name: 'small',
  async renderChunk(code) {
    // One keyword for both packs better. As long as the other, so that positions in the source map stay right.
    const { code: minified, map } = await minify(code.replace(/\bconst\b/g, 'let  '), {
      ecma: 2020,
      module: true,
      compress: {
        passes: 4,
        unsafe_arrows: true,
        unsafe_methods: true,
        keep_fargs: false,
        pure_getters: true,
        // 'use client'
        directives: false,
      },
      mangle: { properties: { regex: SHORT, builtins: true } },
      nameCache: { props: { props: { ...props } } },
      sourceMap: { asObject: true },
    })
    return { code: minified, map }
  },
}
