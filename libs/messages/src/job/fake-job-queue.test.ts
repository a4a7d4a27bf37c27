import { expect, test } from '@jest/globals';
import { FakeJobQueue } from './fake-job-queue.js';
import { jobQueueContract, someEvent } from './job-queue.contract.js';
import { JobsUnavailable } from './job-queue.js';

jobQueueContract('the fake', async () => {
  const jobs = new FakeJobQueue();
  return { jobs, workers: (names) => jobs.workers(names), close: () => Promise.resolve() };
});

test('the fake can be unavailable, and remembers schedules and jobs that were given up', async () => {
  const jobs = new FakeJobQueue();
  jobs.available = false;
  await expect(jobs.add('purge-uploads', {})).rejects.toThrow(JobsUnavailable);
  jobs.available = true;
  await jobs.schedule('purge-uploads', {}, 600_000);
  const workers = jobs.workers(['deliver-event']);
  workers.handle('deliver-event', () => Promise.reject(new Error('never')));
  workers.start();
  await jobs.add('deliver-event', someEvent());
  await workers.close();
  expect(jobs.scheduled.get('purge-uploads')).toBe(600_000);
  expect(jobs.givenUp).toHaveLength(1);
});
