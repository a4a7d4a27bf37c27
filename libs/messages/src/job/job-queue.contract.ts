import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../testing/eventually.js';
import type { JobQueue, Workers } from './job-queue.js';
import type { JobName, JobPayload } from './jobs.js';

/** A queue of its own for each test. */
export interface QueueUnderTest {
  readonly jobs: JobQueue;
  workers(jobs?: readonly JobName[]): Workers;
  close(): Promise<void>;
}

/** Some event on its way. */
export function someEvent(type = 'tag.created'): JobPayload<'deliver-event'> {
  return { id: randomUUID(), type, payload: { project: 1, repository: 'a/b', tag: 'c', digest: 'sha256:0' }, actor: 'user:3', origin: {}, createdAt: new Date().toISOString() };
}

/** What every implementation of JobQueue and Workers does. */
export function jobQueueContract(name: string, open: () => Promise<QueueUnderTest>): void {
  describe(`JobQueue: ${name}`, () => {
    let queue: QueueUnderTest;
    beforeEach(async () => { queue = await open(); });
    afterEach(() => queue.close());

    test('has jobs done, those queued before the workers started too', async () => {
      const done: unknown[] = [];
      const [early, late] = [someEvent(), someEvent()];
      await queue.jobs.add('deliver-event', early);
      const workers = queue.workers(['deliver-event']);
      workers.handle('deliver-event', async (payload, { attempt }) => { done.push([payload, attempt]); });
      workers.start();
      await queue.jobs.addAll('deliver-event', [{ payload: late, id: late.id }]);
      await eventually('both jobs being done', () => done.length === 2);
      expect(done).toEqual(expect.arrayContaining([[early, 1], [late, 1]]));
    });

    test('queues a job once for each id', async () => {
      const done: string[] = [];
      const [twice, last] = [someEvent(), someEvent()];
      await queue.jobs.add('deliver-event', twice, { id: twice.id });
      await queue.jobs.add('deliver-event', twice, { id: twice.id });
      const workers = queue.workers(['deliver-event']);
      workers.handle('deliver-event', async (_payload, { id }) => { done.push(id); });
      workers.start();
      await eventually('the job being done', () => done.length === 1);
      await queue.jobs.add('deliver-event', twice, { id: twice.id });
      await queue.jobs.add('deliver-event', last, { id: last.id });
      await eventually('the last job being done', () => done.includes(last.id));
      expect(done).toEqual([twice.id, last.id]);
    });

    test('takes a job of the same id again once the first one is done, for jobs that are to be forgotten', async () => {
      const done: number[] = [];
      for (const task of [1, 1]) await queue.jobs.add('run-retention', { task }, { id: 'task-1-0' });
      const workers = queue.workers(['run-retention']);
      workers.handle('run-retention', async ({ task }) => {
        done.push(task);
        if (done.length === 2) throw new Error('given up at once');
      });
      workers.start();
      for (const count of [1, 2, 3]) {
        await eventually(`being done ${count} times`, async () => {
          if (done.length < count) await queue.jobs.add('run-retention', { task: count }, { id: 'task-1-0' });
          return done.length >= count;
        });
      }
      expect(done[0]).toBe(1);
    });

    test('has what it lost made good once, and tried again when that fails', async () => {
      let times = 0;
      const work = async (): Promise<void> => {
        times += 1;
        if (times === 1) throw new Error('not yet');
      };
      await expect(queue.jobs.whenEmptied(work)).rejects.toThrow('not yet');
      expect([await queue.jobs.whenEmptied(work), await queue.jobs.whenEmptied(work), times]).toEqual([true, false, 2]);
    });

    test('tries a job again when its handler fails', async () => {
      const attempts: number[] = [];
      const workers = queue.workers(['deliver-event']);
      workers.handle('deliver-event', async (_payload, { attempt }) => {
        attempts.push(attempt);
        if (attempt < 3) throw new Error('not yet');
      });
      workers.start();
      await queue.jobs.add('deliver-event', someEvent());
      await eventually('the third try', () => attempts.length === 3);
      expect(attempts).toEqual([1, 2, 3]);
    });

    test('refuses payloads and ids that do not fit', async () => {
      const event = someEvent();
      await expect(queue.jobs.add('deliver-event', { ...event, id: 'x' })).rejects.toThrow('not the payload of a deliver-event job: id:');
      await expect(queue.jobs.add('deliver-event', event, { id: 'a:b' })).rejects.toThrow('a job id consists of');
      await expect(queue.jobs.schedule('purge-uploads', null as never, 1000)).rejects.toThrow(TypeError);
    });

    test('refuses workers with missing, doubled or foreign handlers', () => {
      const workers = queue.workers(['deliver-event', 'purge-uploads']);
      workers.handle('deliver-event', () => Promise.resolve());
      expect(() => { workers.handle('deliver-event', () => Promise.resolve()); }).toThrow('deliver-event jobs have two handlers');
      expect(() => { workers.start(); }).toThrow('these jobs have no handler: purge-uploads');
      expect(() => { workers.handle('purge-events', () => Promise.resolve()); }).toThrow('this process does not do purge-events jobs');
    });

    test('waits for jobs being done when it closes', async () => {
      const steps: string[] = [];
      const workers = queue.workers(['deliver-event']);
      workers.handle('deliver-event', async () => {
        steps.push('begun');
        await new Promise((resolve) => setTimeout(resolve, 200));
        steps.push('done');
      });
      workers.start();
      await queue.jobs.add('deliver-event', someEvent());
      await eventually('the job beginning', () => steps.length === 1);
      await workers.close();
      expect(steps).toEqual(['begun', 'done']);
    });
  });
}
