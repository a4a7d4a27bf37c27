import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { appendEvents, createTestDatabase, type TestDatabase } from '@haven/database';
import { FakeLogger, Metrics, readSettings, startService, type RunningService } from '@haven/runtime';
import { JobServiceModule } from '../../job-service.module.js';
import { settingsSchema } from '../../settings.js';
import { testRedisUrl } from '../../testing/settings.js';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What receivers are told, as far as the tests look at it. */
export interface Told {
  readonly type: string;
  readonly occur_at: number;
  readonly operator: string;
  readonly event_data: {
    readonly resources: readonly { readonly digest: string; readonly tag: string; readonly resource_url: string }[];
    readonly repository: { readonly name: string };
    readonly [part: string]: unknown;
  };
}

export interface EventToTell {
  readonly type: string;
  readonly repository?: string;
  readonly more: object;
}

export interface PolicyOptions {
  readonly events?: readonly string[];
  /** Null for a policy of the whole installation. */
  readonly project?: number | null;
  readonly projects?: readonly string[];
}

/** Who causes what is told: a name that tries to break out of every form. */
export const ORIGIN = { name: 'alice "}<!channel>\\', address: '127.0.0.1', requestId: 'request-1' };

export function push(tags: readonly string[], repository?: string): EventToTell {
  return { type: 'artifact.pushed', ...(repository === undefined ? {} : { repository }), more: { digest: 'sha256:0', tags, mediaType: 'x/y', artifactType: '' } };
}

export async function eventually(what: string, condition: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  for (const deadline = Date.now() + ms; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A job service with receivers of webhooks, and the projects alpha (1) and bravo (2, public). */
export class WebhookWorld {
  readonly key = randomBytes(32);
  readonly received: Received[] = [];
  readonly metrics = new Metrics();
  #service: RunningService | undefined;
  readonly #servers: Server[] = [];
  readonly #sockets: Socket[] = [];

  private constructor(readonly fixture: TestDatabase, private readonly folder: string) {}

  static async open(): Promise<WebhookWorld> {
    const fixture = await createTestDatabase();
    await fixture.database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
    await fixture.database.execute(`INSERT INTO project (id, name, public, owner_id) VALUES (1, 'alpha', false, 1), (2, 'bravo', true, 1)`);
    return new WebhookWorld(fixture, mkdtempSync(join(tmpdir(), 'haven-webhook-')));
  }

  async close(): Promise<void> {
    await this.#service?.stop();
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) await new Promise((resolve) => { server.close(resolve); });
    await this.fixture.drop();
    rmSync(this.folder, { recursive: true });
  }

  async start(): Promise<void> {
    const settings = readSettings(settingsSchema, {
      HAVEN_PRIVATE_LISTEN: '127.0.0.1:0', HAVEN_REDIS_URL: testRedisUrl(), HAVEN_DATABASE_URL: this.fixture.url, HAVEN_STORAGE: pathToFileURL(this.folder).href,
      HAVEN_SECRET_KEY: this.key.toString('hex'), HAVEN_OUTBOUND_ALLOW: '127.0.0.1', HAVEN_EXTERNAL_URL: 'https://haven.example:8443',
    });
    this.#service = await startService({ service: 'job-service', settings, module: JobServiceModule.with(settings), parts: { logger: new FakeLogger(), metrics: this.metrics } });
  }

  /** Resolves to its address. */
  async receiver(answer: RequestListener = (_request, response) => { response.end(); }): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => { chunks.push(chunk); });
      request.on('end', () => {
        this.received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
        answer(request, response);
      });
    });
    server.on('connection', (socket) => { this.#sockets.push(socket); });
    this.#servers.push(server);
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  }

  /** Resolves to its id. */
  async policy(targets: readonly object[], { events = ['PUSH_ARTIFACT', 'PULL_ARTIFACT', 'DELETE_ARTIFACT'], project = 1, projects = [] }: PolicyOptions = {}): Promise<number> {
    const [row] = await this.fixture.database.query<{ id: number }>(
      `INSERT INTO webhook_policy (project_id, name, targets, event_types, projects) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
      [project, randomBytes(6).toString('hex'), JSON.stringify(targets.map((target) => ({ type: 'http', skip_cert_verify: false, payload_format: 'Default', ...target }))), events, projects],
    );
    return row?.id ?? 0;
  }

  /** Writes events as if they had just happened, in alpha/team/app unless they say otherwise. */
  tell(events: readonly EventToTell[]): Promise<void> {
    return this.fixture.database.transaction((transaction) => appendEvents(transaction, events.map(({ type, repository = 'alpha/team/app', more }) => (
      { type, payload: { project: repository.startsWith('alpha/') ? 1 : 2, repository, ...more }, actor: 'user:1', origin: ORIGIN }
    ))));
  }

  async count(state: string): Promise<number> {
    return (await this.fixture.database.query<{ count: number }>('SELECT count(*)::int AS count FROM webhook_delivery WHERE state = $1', [state]))[0]?.count ?? 0;
  }

  /** Whether every event was handled by everybody. */
  async handled(): Promise<boolean> {
    return (await this.fixture.database.query('SELECT 1 FROM outbox WHERE handled_at IS NULL LIMIT 1')).length === 0;
  }

  told(): Told[] {
    return this.received.map(({ body }) => JSON.parse(body) as Told);
  }
}
