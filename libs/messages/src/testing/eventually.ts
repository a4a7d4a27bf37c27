import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition holds; rejects after `seconds` with what was waited for. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>, seconds = 15): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${seconds} s`);
    await sleep(10);
  }
}
