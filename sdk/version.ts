/** Version of this package, sent as `context.library.version`. A test holds it equal to package.json. */
export const VERSION = '0.1.0'
