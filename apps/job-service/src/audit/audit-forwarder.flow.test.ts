import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeLogger, Metrics } from '@haven/runtime';
import type { AuditEntry } from './audit-entry.js';
import { AuditForwarder } from './audit-forwarder.js';

/** A syslog server on loopback that remembers what it was sent. */
class SyslogServer {
  text = '';
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('data', (bytes) => { this.text += bytes.toString(); });
    socket.on('error', () => undefined);
  });

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get resources(): string[] {
    return [...this.text.matchAll(/ resource="([^"]*)"/g)].map(([, resource]) => resource ?? '');
  }

  listen(port = 0): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function entry(resource: string): AuditEntry {
  return {
    eventId: 'e', at: new Date(0), project: undefined, subject: '', username: 'alice', operation: 'create', resourceType: 'tag', resource, description: '', result: true,
    address: '', requestId: '',
  };
}

async function eventually(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition();) {
    if (Date.now() > deadline) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

let server: SyslogServer;
let logger: FakeLogger;
let metrics: Metrics;
let forwarder: AuditForwarder;

beforeEach(async () => {
  server = new SyslogServer();
  await server.listen();
  logger = new FakeLogger();
  metrics = new Metrics();
  forwarder = new AuditForwarder({ logger, metrics });
});
afterEach(async () => {
  await forwarder.close();
  await server.close();
});

describe('the forwarder', () => {
  test('sends one line for each entry, in order, to whichever server is set', async () => {
    forwarder.send([entry('nobody listens')]);
    forwarder.use(`127.0.0.1:${server.port}`);
    forwarder.send([entry('one'), entry('two')]);
    forwarder.send([entry('three')]);
    await eventually(() => server.resources.length === 3);
    const second = new SyslogServer();
    await second.listen();
    forwarder.use(`127.0.0.1:${second.port}`);
    forwarder.send([entry('four')]);
    await eventually(() => second.resources.length === 1);
    forwarder.use('');
    forwarder.send([entry('nobody listens')]);
    await forwarder.close();
    expect([server.resources, second.resources]).toEqual([['one', 'two', 'three'], ['four']]);
    await second.close();
  });

  test('goes on where it was when the server comes back', async () => {
    forwarder.use(`127.0.0.1:${server.port}`);
    forwarder.send([entry('one')]);
    await eventually(() => server.resources.length === 1);
    const { port } = server;
    await server.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    forwarder.send([entry('two'), entry('three')]);
    await eventually(() => logger.messages('warn').length === 1);
    server = new SyslogServer();
    await server.listen(port);
    await eventually(() => server.resources.length === 2);
    expect(server.resources).toEqual(['two', 'three']);
    expect(logger.messages('warn')).toEqual(['the audit trail cannot be forwarded; lines wait for the syslog server']);
  });

  test('M-24: keeps a bounded number of lines while nobody takes them, and counts the others', async () => {
    const { port } = server;
    await server.close();
    forwarder.use(`127.0.0.1:${port}`);
    const started = performance.now();
    for (let time = 0; time < 110; time++) forwarder.send(Array.from({ length: 100 }, () => entry('line')));
    expect(performance.now() - started).toBeLessThan(2000);
    expect(await metrics.text()).toContain('haven_audit_forward_dropped_total 1000');
    server = new SyslogServer();
    await server.listen(port);
    await eventually(() => server.resources.length === 10_000);
  });

  test('says when lines that must arrive do not', async () => {
    await expect(forwarder.deliver([entry('one')])).rejects.toThrow('the audit trail is kept by nobody');
    forwarder.use(`127.0.0.1:${server.port}`);
    await forwarder.deliver([entry('two'), entry('three')]);
    await eventually(() => server.resources.length === 2);
    const { port } = server;
    await server.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(forwarder.deliver([entry('four')])).rejects.toThrow('did not take the lines in time');
    server = new SyslogServer();
    await server.listen(port);
    await forwarder.deliver([entry('five')]);
    await eventually(() => server.resources.length === 1);
    expect(server.resources).toEqual(['five']);
  }, 20_000);
});
