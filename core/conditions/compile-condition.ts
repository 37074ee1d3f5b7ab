import { type CompileCondition, createCompiler } from './compiler.js'
import { compilePattern } from './patterns/compile-pattern.js'

/**
 * Compiles a condition of GrowthBook's language (docs/conditions.md) to closures. The result is reused for many
 * attributes: nothing of the condition is parsed when it is evaluated. Every fault is reported with its path, up to
 * `MAX_FAULTS`.
 */
export const compileCondition: CompileCondition = createCompiler(compilePattern)
