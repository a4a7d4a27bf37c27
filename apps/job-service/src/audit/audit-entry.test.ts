import { describe, expect, test } from '@jest/globals';
import { AUDITED_EVENTS, type DeliveredEvent, type EventName, type EventPayload } from '@haven/messages';
import { entryOf } from './audit-entry.js';
import { syslogLine } from './syslog-line.js';

const digest = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;
const repository = { project: 5, repository: 'alpha/app' };
const at = new Date('2026-02-03T04:05:06.789Z');

function event<N extends EventName>(type: N, payload: EventPayload<N>, origin: DeliveredEvent['origin'] = { name: 'alice', address: '192.0.2.1', requestId: 'r1' }): DeliveredEvent<N> {
  return { id: '00000000-0000-4000-8000-000000000001', type, payload, actor: 'user:3', origin, createdAt: at };
}

describe('an event becomes the line that the Harbor API shows', () => {
  test.each<[DeliveredEvent, string, string, string, string]>([
    [event('artifact.pushed', { ...repository, digest, tags: [], mediaType: 'm', artifactType: '' }), 'create', 'artifact', `alpha/app@${digest}`, `push artifact: alpha/app@${digest}`],
    [event('artifact.pushed', { ...repository, digest, tags: ['1', '2'], mediaType: 'm', artifactType: '' }), 'create', 'artifact', 'alpha/app:1', `push artifact: alpha/app@${digest}`],
    [event('artifact.pulled', { ...repository, digest }), 'pull', 'artifact', `alpha/app@${digest}`, `pull artifact: alpha/app@${digest}`],
    [event('artifact.pulled', { ...repository, digest, tag: '1', count: 12 }), 'pull', 'artifact', 'alpha/app:1', `pull artifact: alpha/app@${digest}, 12 times`],
    [event('artifact.deleted', { ...repository, digest }), 'delete', 'artifact', `alpha/app@${digest}`, `delete artifact: alpha/app@${digest}`],
    [event('artifact.restored', { ...repository, digest }), 'restore', 'artifact', `alpha/app@${digest}`, `restore artifact: alpha/app@${digest}`],
    [event('tag.created', { ...repository, tag: '1', digest }), 'create', 'tag', 'alpha/app:1', 'create tag: alpha/app:1'],
    [event('tag.moved', { ...repository, tag: '1', from: digest, digest: other }), 'update', 'tag', 'alpha/app:1', `update tag: alpha/app:1, from ${digest} to ${other}`],
    [event('tag.deleted', { ...repository, tag: '1', digest }), 'delete', 'tag', 'alpha/app:1', 'delete tag: alpha/app:1'],
    [event('repository.created', repository), 'create', 'repository', 'alpha/app', 'create repository: alpha/app'],
    [event('repository.deleted', repository), 'delete', 'repository', 'alpha/app', 'delete repository: alpha/app'],
    [event('repository.restored', repository), 'restore', 'repository', 'alpha/app', 'restore repository: alpha/app'],
  ])('%#', (told, operation, resourceType, resource, description) => {
    expect(entryOf(told)).toEqual({
      eventId: told.id, at, project: 5, subject: 'user:3', username: 'alice', operation, resourceType, resource, description, result: true,
      address: '192.0.2.1', requestId: 'r1',
    });
  });

  test('as it is when an operation recorded it', () => {
    const recorded = event('audit.recorded', { operation: 'login', resourceType: 'user', resource: 'eve', description: 'login user', result: false }, {});
    expect(entryOf(recorded)).toMatchObject({ project: undefined, username: '', operation: 'login', resource: 'eve', result: false, address: '' });
  });

  test('for every audited event, and for no other', () => {
    for (const type of AUDITED_EVENTS) expect(() => entryOf(event(type, {} as never))).toThrow('nvalid');
    expect(entryOf(event('project.created', { project: 5, name: 'alpha' }))).toBeUndefined();
  });
});

// What clients choose cannot make a line look like two, or like another one.
test('G-08: a line stays one line, bounded and quoted', () => {
  const evil = 'x\n<110>1 forged\u202E" operator="admin\\';
  const entry = entryOf(event('audit.recorded', { operation: 'delete', resourceType: 'user', resource: evil, description: 'd'.repeat(2048), result: true }, { name: evil, address: evil, requestId: evil }));
  expect(entry).toMatchObject({ resource: 'x\uFFFD<110>1 forged\uFFFD" operator="admin\\', username: 'x\uFFFD<110>1 forged\uFFFD" operator="admin\\' });
  const line = syslogLine(entry!, 'host name');
  expect(line.split('\n')).toHaveLength(2);
  expect(line.startsWith('<110>1 2026-02-03T04:05:06.789Z host-name haven - audit - action="delete" operator="x\uFFFD<110>1 forged\uFFFD\\" operator=\\"admin\\\\" resourceType="user" ')).toBe(true);
});
