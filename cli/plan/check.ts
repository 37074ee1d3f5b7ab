import { counted } from '@slotstream/core'
import { NO_PLAN, type PlanSchemas } from '@slotstream/protocol'
import { checkVersions, compilePlan, PlanError, type Step, type VersionStep } from '@slotstream/tracking-plan'

const SIGNS: Record<Step, string> = { addition: '+', revision: '!', model: '‼' }

/** Findings of a check of schemas. */
export interface Report {
  lines: string[]
  /** One for each thing that is wrong. */
  problems: string[]
}

/** Checks whether schemas can be used, and whether the number of each version says what it changes. */
export async function checkSchemas(schemas: PlanSchemas): Promise<Report> {
  const problems = await compilePlan({ ...NO_PLAN, schemas }).then(
    (): string[] => [],
    error => {
      if (error instanceof PlanError) return error.problems
      throw error
    },
  )
  const lines: string[] = problems.map(problem => `✗ ${problem}`)
  // What can't be used can't be compared either.
  if (problems.length > 0) return { lines, problems }
  for (const [event, versions] of Object.entries(schemas)) {
    const steps = checkVersions(versions)
    lines.push(steps.length === 0 ? `${event}  ${Object.keys(versions)[0]}` : event)
    for (const step of steps) {
      lines.push(`  ${wording(step)}`)
      for (const { step: sort, path, what } of step.changes)
        lines.push(`      ${SIGNS[sort]} ${path || 'the whole'}: ${what}`)
      if (step.callIt)
        problems.push(
          `${event} ${step.to} says ${step.claimed}, is ${step.actual} of ${step.from}: call it ${step.callIt}`,
        )
    }
  }
  return { lines, problems }
}

function wording({ from, to, claimed, actual, callIt }: VersionStep): string {
  const way = `${from} → ${to}`
  if (callIt) return `${way}  ✗ says ${claimed}, is ${actual}: call it ${callIt}`
  if (!actual) return `${way}  ${claimed}, though nothing changed that counts`
  return actual === claimed ? `${way}  ${claimed}` : `${way}  ${claimed}, though it is ${actual} only`
}

/** Returns a line that counts events, versions and problems. */
export function summary(schemas: PlanSchemas, { problems }: Report): string {
  const events = Object.keys(schemas).length
  const versions = Object.values(schemas).reduce((sum, all) => sum + Object.keys(all).length, 0)
  const outcome = problems.length === 0 ? 'no problems' : counted(problems.length, 'problem')
  return `${counted(events, 'event')}, ${counted(versions, 'version')}: ${outcome}`
}
