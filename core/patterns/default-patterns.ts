import { withBuiltinPatterns } from './builtin.js'
import { compilePatterns } from './compile.js'
import type { CompiledPatterns } from './compiled.js'

/** The patterns of a site that declares none. */
export const DEFAULT_PATTERNS: CompiledPatterns = compileDefault()

function compileDefault(): CompiledPatterns {
  const compiled = compilePatterns(withBuiltinPatterns([]))
  if (!compiled.ok) throw new Error(compiled.reason)
  return compiled.value
}
