import { ConfigurationError, localFiles } from '@slotstream/runtime'
import { type CompiledPlan, compilePlan, PlanError, readSchemas } from '@slotstream/tracking-plan'

/**
 * Reads the tracking plan of a folder of schemas, to be enforced. Throws ConfigurationError when it can't be used.
 *
 * @param unplanned what an event is that the folder does not have: `allow` or `violation`
 */
export async function readPlan(folder: string, unplanned: string): Promise<CompiledPlan> {
  if (unplanned !== 'allow' && unplanned !== 'violation')
    throw new ConfigurationError(`MICRO_UNPLANNED is "${unplanned}": it must be allow or violation`)
  try {
    return await compilePlan({ mode: 'enforce', unplanned, schemas: await readSchemas(folder, localFiles) })
  } catch (error) {
    const problems = error instanceof PlanError ? error.problems : [(error as Error).message]
    throw new ConfigurationError(`MICRO_SCHEMAS cannot be used: ${problems.join('\n')}`)
  }
}
