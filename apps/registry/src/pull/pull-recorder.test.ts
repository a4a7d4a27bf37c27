import { beforeEach, describe, expect, test } from '@jest/globals';
import { configurationOf, type Configuration } from '@haven/api';
import type { Pull } from '@haven/catalog';
import type { NewEvent } from '@haven/database';
import { digestOf } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import { PullRecorder } from './pull-recorder.js';

type Exchange = Parameters<PullRecorder['record']>[0];

const digest = digestOf(Buffer.from('x'));
const manifest = { repositoryId: '7', digest, mediaType: 'm', size: 1 };

function exchange(subject: string, reference: { tag: string } | { digest: typeof digest }, address = '192.0.2.1'): Exchange {
  return {
    route: { kind: 'manifest', repository: 'alpha/app', reference },
    actor: subject,
    claims: { access: [{ type: 'repository', name: 'alpha/app', actions: ['pull'], project: 5 }] },
    origin: { snapshot: () => ({ name: subject, address, requestId: 'r' }) },
  } as unknown as Exchange;
}

let written: { pulls: readonly Pull[]; events: readonly NewEvent[] }[];
let configuration: Configuration;
let broken: boolean;
let logger: FakeLogger;
let recorder: PullRecorder;

beforeEach(() => {
  written = [];
  configuration = configurationOf(new Map());
  broken = false;
  logger = new FakeLogger();
  const recordPulls = async (pulls: readonly Pull[], events: readonly NewEvent[] = []): Promise<void> => {
    if (broken) throw new Error('away');
    written.push({ pulls, events });
  };
  recorder = new PullRecorder({ catalog: { recordPulls }, configuration: { current: async () => configuration }, logger });
});

function record(times: number, ...of: Parameters<typeof exchange>): void {
  for (let time = 0; time < times; time++) recorder.record(exchange(...of), manifest);
}

describe('pulls', () => {
  test('become one event for each caller, tag and digest between two flushes, with the first address', async () => {
    record(1000, 'user:3', { tag: '1' });
    record(5, 'user:3', { tag: '1' }, '192.0.2.99');
    record(2, 'robot:7', { tag: '1' });
    record(3, 'user:3', { digest });
    await recorder.flush();
    const payload = { project: 5, repository: 'alpha/app', digest };
    expect(written[0]?.events).toEqual([
      { type: 'artifact.pulled', payload: { ...payload, tag: '1', count: 1005 }, actor: 'user:3', origin: { name: 'user:3', address: '192.0.2.1', requestId: 'r' } },
      { type: 'artifact.pulled', payload: { ...payload, tag: '1', count: 2 }, actor: 'robot:7', origin: { name: 'robot:7', address: '192.0.2.1', requestId: 'r' } },
      { type: 'artifact.pulled', payload: { ...payload, count: 3 }, actor: 'user:3', origin: { name: 'user:3', address: '192.0.2.1', requestId: 'r' } },
    ]);
    expect(written[0]?.pulls.map((pull) => pull.count)).toEqual([1005, 2, 3]);
    await recorder.flush();
    expect(written).toHaveLength(1);
  });

  test.each([{ pull_audit_log_disable: true }, { disabled_audit_log_event_types: 'create_tag, pull_artifact' }])('are counted, but not told, with %j', async (settings) => {
    configuration = { ...configuration, ...settings };
    record(2, 'user:3', { tag: '1' });
    await recorder.flush();
    expect(written).toMatchObject([{ pulls: [{ count: 2 }], events: [] }]);
  });

  test('wait while the database is away', async () => {
    broken = true;
    record(2, 'user:3', { tag: '1' });
    await recorder.flush();
    record(1, 'user:3', { tag: '1' });
    record(1, 'user:4', { tag: '1' });
    broken = false;
    await recorder.flush();
    expect(written.map(({ pulls }) => pulls.map((pull) => pull.count))).toEqual([[3, 1]]);
    expect(logger.messages('warn')).toEqual(['pulls could not be recorded yet']);
  });

  test('are written before memory runs out, and what is lost is reported', async () => {
    broken = true;
    for (let caller = 0; caller < 60_000; caller++) record(1, `user:${caller}`, { tag: '1' });
    await recorder.flush();
    await recorder.flush();
    expect(logger.messages('error')).toEqual(['pulls were not recorded: too many wait for the database']);
    broken = false;
    await recorder.stop();
    expect(written.flatMap(({ pulls }) => pulls)).toHaveLength(50_000);
  });
});
