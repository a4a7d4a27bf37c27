import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { configurationOf, type Configuration } from '@haven/api';
import type { DeliveredEvent } from '@haven/messages';
import type { AuditEntry } from './audit-entry.js';
import { AuditTrail } from './audit-trail.js';

let configuration: Configuration;
let added: AuditEntry[][];
let known: Set<string>;
let forwarded: { how: string; entries: readonly AuditEntry[] }[];
let fail: (entries: readonly AuditEntry[]) => void;
let trail: AuditTrail;

beforeEach(() => {
  configuration = configurationOf(new Map());
  added = [];
  known = new Set();
  forwarded = [];
  fail = () => undefined;
  trail = new AuditTrail({
    configuration: { current: async () => configuration },
    store: {
      add: async (entries) => {
        await Promise.resolve();
        fail(entries);
        added.push([...entries]);
        const fresh = entries.map((entry) => entry.eventId).filter((id) => !known.has(id));
        for (const id of fresh) known.add(id);
        return new Set(fresh);
      },
      namesOf: async (subjects, prefix) => new Map(subjects.map((subject) => [subject, `${prefix}name of ${subject}`])),
    },
    forwarder: {
      use: (endpoint) => { forwarded.push({ how: `use ${endpoint}`, entries: [] }); },
      send: (entries) => { forwarded.push({ how: 'send', entries }); },
      deliver: async (entries) => { fail(entries); forwarded.push({ how: 'deliver', entries }); },
    },
  });
});

function created(tag: string, about: Partial<Pick<DeliveredEvent, 'actor' | 'origin' | 'id'>> = {}): DeliveredEvent {
  return {
    id: randomUUID(), type: 'tag.created', payload: { project: 1, repository: 'a/b', tag, digest: 'sha256:0' }, actor: 'user:3', origin: { name: 'alice', address: '192.0.2.1' },
    createdAt: new Date(), ...about,
  };
}

const resources = (): string[][] => added.map((batch) => batch.map((entry) => entry.resource));

describe('the audit trail', () => {
  test('writes what comes while it writes together, next', async () => {
    await Promise.all(['1', '2', '3', '4'].map((tag) => trail.handle(created(tag))));
    await trail.handle(created('5'));
    expect(resources()).toEqual([['a/b:1'], ['a/b:2', 'a/b:3', 'a/b:4'], ['a/b:5']]);
  });

  test('one line that cannot be kept does not hold up the others', async () => {
    fail = (entries) => { if (entries.some((entry) => entry.resource === 'a/b:bad')) throw new Error('no'); };
    const outcomes = await Promise.allSettled(['1', '2', 'bad', '4'].map((tag) => trail.handle(created(tag))));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(resources().flat().sort()).toEqual(['a/b:1', 'a/b:2', 'a/b:4']);
  });

  test('names who did it: as they were called then, else as they are called now', async () => {
    await trail.handle(created('1'));
    await trail.handle(created('2', { origin: {} }));
    await trail.handle(created('3', { origin: { address: '192.0.2.1' }, actor: '' }));
    await trail.handle(created('4', { origin: {}, actor: '' }));
    expect(added.flat().map((entry) => entry.username)).toEqual(['alice', 'robot$name of user:3', 'anonymous', '']);
  });

  test('leaves out what is switched off, from one event to the next', async () => {
    configuration = { ...configuration, disabled_audit_log_event_types: 'create_tag' };
    await trail.handle(created('1'));
    configuration = { ...configuration, disabled_audit_log_event_types: '' };
    await trail.handle(created('2'));
    expect(resources()).toEqual([['a/b:2']]);
  });

  test('forwards each line once, also when its event comes again', async () => {
    configuration = { ...configuration, audit_log_forward_endpoint: 'log.test:514' };
    const event = created('1');
    await trail.handle(event);
    await trail.handle(event);
    expect(forwarded.map(({ how, entries }) => [how, entries.map((entry) => entry.resource)])).toEqual([
      ['use log.test:514', []], ['send', ['a/b:1']], ['use log.test:514', []], ['send', []],
    ]);
  });

  test('where the database keeps none, an event is handled only when the syslog server has its line', async () => {
    configuration = { ...configuration, audit_log_forward_endpoint: 'log.test:514', skip_audit_log_database: true };
    fail = () => { throw new Error('away'); };
    await expect(trail.handle(created('1'))).rejects.toThrow('away');
    fail = () => undefined;
    await trail.handle(created('1'));
    expect(added).toEqual([]);
    expect(forwarded.filter(({ how }) => how === 'deliver').flatMap(({ entries }) => entries)).toHaveLength(1);
  });
});
