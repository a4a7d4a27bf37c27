import { expect, test } from '@jest/globals';
import { FakeLogger } from '@haven/runtime';
import { Routine } from './routine.js';

async function eventually(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); await new Promise((resolve) => setTimeout(resolve, 2))) {
    if (Date.now() > deadline) throw new Error('it did not happen');
  }
}

test('a routine goes on after failures, which it reports once in a row', async () => {
  const logger = new FakeLogger();
  let calls = 0;
  const routine = new Routine({ name: 'counting', everyMs: 1, logger, work: async () => { calls += 1; if (calls === 2 || calls === 3) throw new Error('no'); } });
  routine.start();
  await eventually(() => calls >= 5);
  await routine.stop();
  expect(logger.messages('warn')).toEqual(['counting failed; it is tried again']);
  expect(logger.lines.filter(({ level }) => level === 'info').map(({ message }) => message)).toEqual(['counting works again']);
  const before = calls;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(calls).toBe(before);
});

test('a routine can be hurried, and stopped in its pause', async () => {
  let calls = 0;
  const routine = new Routine({ name: 'waiting', everyMs: 3_600_000, logger: new FakeLogger(), work: async () => { calls += 1; } });
  routine.start();
  await eventually(() => calls === 1);
  routine.hurry();
  await eventually(() => calls === 2);
  await routine.stop();
  expect(calls).toBe(2);
});
