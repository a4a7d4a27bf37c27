import { describe, expect, test } from '@jest/globals';
import { QueueFull, WorkQueue } from './work-queue.js';

/** A job that ends when it is told to. */
function job(): { readonly run: () => Promise<string>; readonly finish: () => void; readonly started: () => boolean } {
  let finish = (): void => {};
  let started = false;
  const ended = new Promise<void>((resolve) => (finish = resolve));
  return { run: async () => ((started = true), await ended, 'done'), finish: () => finish(), started: () => started };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe('a work queue', () => {
  test('runs as many jobs as it may and the others in their order', async () => {
    const queue = new WorkQueue({ concurrency: 2, waiting: 10, waitingPerOrigin: 10 });
    const jobs = [job(), job(), job(), job()];
    const results = jobs.map(({ run }) => queue.run('a', run));
    expect(jobs.map(({ started }) => started())).toEqual([true, true, false, false]);
    jobs[1]?.finish();
    await settled();
    expect(jobs.map(({ started }) => started())).toEqual([true, true, true, false]);
    for (const { finish } of jobs) finish();
    expect(await Promise.all(results)).toEqual(['done', 'done', 'done', 'done']);
  });

  test('refuses at once what may not wait', async () => {
    const queue = new WorkQueue({ concurrency: 1, waiting: 1, waitingPerOrigin: 5 });
    const [running, waiting, refused] = [job(), job(), job()];
    const results = [queue.run('a', running.run), queue.run('b', waiting.run)];
    await expect(queue.run('c', refused.run)).rejects.toBeInstanceOf(QueueFull);
    expect(refused.started()).toBe(false);
    running.finish();
    waiting.finish();
    await Promise.all(results);
    expect(await queue.run('c', async () => 'later')).toBe('later');
  });

  test('keeps room for others than the busiest origin', async () => {
    const queue = new WorkQueue({ concurrency: 1, waiting: 3, waitingPerOrigin: 2 });
    const jobs = Array.from({ length: 4 }, job);
    const results = [queue.run('greedy', jobs[0]?.run ?? fail), queue.run('greedy', jobs[1]?.run ?? fail), queue.run('greedy', jobs[2]?.run ?? fail)];
    await expect(queue.run('greedy', fail)).rejects.toBeInstanceOf(QueueFull);
    results.push(queue.run('modest', jobs[3]?.run ?? fail));
    for (const { finish } of jobs) finish();
    await Promise.all(results);
  });

  test('goes on after jobs that fail', async () => {
    const queue = new WorkQueue({ concurrency: 1, waiting: 5, waitingPerOrigin: 5 });
    const failing = queue.run('a', fail);
    const next = queue.run('a', async () => 'fine');
    await expect(failing).rejects.toThrow('failed');
    expect(await next).toBe('fine');
  });
});

async function fail(): Promise<string> {
  throw new Error('failed');
}
