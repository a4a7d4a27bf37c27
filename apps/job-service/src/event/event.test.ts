import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { DatabaseUnavailable } from '@haven/database';
import { FakeBroadcasts, type EventName, type JobPayload } from '@haven/messages';
import { FakeLogger } from '@haven/runtime';
import { CacheRefresh } from './cache-refresh.js';
import { HandledEvents } from './handled-events.js';
import { purgeEvents } from './purge-events.js';
import { isUnfit, Subscribers, type EventSubscriber } from './subscribers.js';

function job(type: string, payload: Record<string, unknown>): JobPayload<'deliver-event'> {
  return { id: randomUUID(), type, payload, actor: 'user:3', origin: {}, createdAt: '2026-01-01T00:00:00.000Z' };
}

function subscriber(name: string, events: EventName[], handle: EventSubscriber['handle']): EventSubscriber {
  return { name, events, handle };
}

const REPOSITORY = { project: 1, repository: 'a/b' };

describe('subscribers', () => {
  test('get the events they want', async () => {
    const heard: unknown[] = [];
    const subscribers = new Subscribers([
      subscriber('one', ['repository.created'], async (event) => { heard.push(['one', event]); }),
      subscriber('two', ['repository.deleted'], async () => { heard.push('two'); }),
    ]);
    const created = job('repository.created', REPOSITORY);
    await subscribers.deliver(created);
    expect(heard).toEqual([['one', { ...created, createdAt: new Date('2026-01-01T00:00:00Z') }]]);
  });

  test('all get their chance when one fails, which is named', async () => {
    const heard: string[] = [];
    const subscribers = new Subscribers([
      subscriber('broken', ['repository.created'], () => Promise.reject(new Error('no'))),
      subscriber('working', ['repository.created'], async () => { heard.push('working'); }),
    ]);
    await expect(subscribers.deliver(job('repository.created', REPOSITORY))).rejects.toThrow('was not taken by broken');
    expect(heard).toEqual(['working']);
  });

  test('that cannot reach the database make the process unfit; those that wait too long for a connection of its own, or fail otherwise, do not', async () => {
    const unfit = async (error: Error): Promise<boolean> => {
      const subscribers = new Subscribers([subscriber('well', ['repository.created'], async () => undefined), subscriber('ill', ['repository.created'], () => Promise.reject(error))]);
      return isUnfit(await subscribers.deliver(job('repository.created', REPOSITORY)).catch((failure: unknown) => failure));
    };
    const gone = new DatabaseUnavailable('the database cannot be reached', { cause: new Error('Connection terminated due to connection timeout') });
    const busy = new DatabaseUnavailable('the database cannot be reached', { cause: new Error('timeout exceeded when trying to connect') });
    expect([await unfit(gone), await unfit(busy), await unfit(new Error('no')), isUnfit(gone), isUnfit(busy)]).toEqual([true, false, false, true, false]);
  });

  test('leave an event that this build does not know to a newer one', async () => {
    await expect(new Subscribers([]).deliver(job('repository.renamed', REPOSITORY))).rejects.toThrow('this build knows no event called repository.renamed');
  });
});

describe('the cache refresh', () => {
  const digest = 'sha256:0';

  test.each<[EventName, Record<string, unknown>, unknown[]]>([
    ['tag.created', { ...REPOSITORY, tag: 'c', digest }, [{ name: 'tag-changed', payload: { repository: 'a/b', tag: 'c' } }]],
    ['tag.moved', { ...REPOSITORY, tag: 'c', from: digest, digest }, [{ name: 'tag-changed', payload: { repository: 'a/b', tag: 'c' } }]],
    ['tag.deleted', { ...REPOSITORY, tag: 'c', digest }, [{ name: 'tag-changed', payload: { repository: 'a/b', tag: 'c' } }]],
    ['artifact.deleted', { ...REPOSITORY, digest }, [{ name: 'manifest-deleted', payload: { repository: 'a/b', digest } }]],
    ['artifact.restored', { ...REPOSITORY, digest }, [{ name: 'manifest-deleted', payload: { repository: 'a/b', digest } }]],
    ['repository.restored', REPOSITORY, [{ name: 'repository-deleted', payload: { repository: 'a/b' } }]],
    ['repository.deleted', REPOSITORY, [{ name: 'repository-deleted', payload: { repository: 'a/b' } }]],
    ['project.created', { project: 1, name: 'a' }, [{ name: 'project-changed', payload: { project: 'a' } }]],
    ['project.deleted', { project: 1, name: 'a' }, [{ name: 'project-changed', payload: { project: 'a' } }, { name: 'access-changed', payload: {} }]],
    ['project.visibility-changed', { project: 1, name: 'a', public: false }, [{ name: 'project-changed', payload: { project: 'a' } }, { name: 'access-changed', payload: {} }]],
    ['member.changed', { project: 1, user: 2 }, [{ name: 'access-changed', payload: {} }]],
    ['user.changed', { user: 2 }, [{ name: 'access-changed', payload: {} }]],
    ['user.deleted', { user: 2 }, [{ name: 'access-changed', payload: {} }]],
    ['repository.created', REPOSITORY, []],
    ['artifact.pushed', { ...REPOSITORY, digest, tags: [], mediaType: 'x', artifactType: '' }, []],
  ])('repeats what %s makes stale', async (type, payload, published) => {
    const broadcasts = new FakeBroadcasts();
    await new Subscribers([new CacheRefresh(broadcasts)]).deliver(job(type, payload));
    expect(broadcasts.published).toEqual(published);
  });
});

test('handled events are told together, and a failure to tell is only reported', async () => {
  const told: (readonly string[])[] = [];
  const logger = new FakeLogger();
  let broken = false;
  const handled = new HandledEvents({ markHandled: (ids) => (broken ? Promise.reject(new Error('away')) : Promise.resolve(void told.push(ids))) }, logger);
  handled.add('a');
  handled.add('b');
  await handled.flush();
  broken = true;
  handled.add('c');
  await handled.flush();
  expect(told).toEqual([['a', 'b']]);
  expect(logger.messages('warn')).toEqual(['handled events could not be noted; they will be delivered again']);
});

test('old events are removed in batches until none is left', async () => {
  const asked: [Date, number][] = [];
  const counts = [1000, 1000, 3];
  const outbox = { forgetDelivered: async (before: Date, limit: number) => { asked.push([before, limit]); return counts.shift() ?? 0; } };
  expect(await purgeEvents(outbox, new FakeLogger(), new Date('2026-01-08T00:00:00Z'))).toBe(2003);
  expect(asked).toEqual(Array.from({ length: 3 }, () => [new Date('2026-01-01T00:00:00Z'), 1000]));
});
