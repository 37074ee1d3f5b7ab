/** Contents that one step of a long run goes through. */
const CONTENTS_A_STEP = 100

/** Tells whether a step of a run over contents ends before the one at a place. */
export function isStepEnd(place: number): boolean {
  return place % CONTENTS_A_STEP === 0 && place > 0
}

/** Does all steps of a run at once. */
export function toEnd<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}
