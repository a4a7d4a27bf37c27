import { randomUUID } from 'node:crypto';
import { currentOrigin, Database } from '@haven/database';
import type { Answer, Call, TestCore } from './test-core.js';

interface Client {
  query: (...parameters: readonly unknown[]) => unknown;
}

/**
 * Counts the SQL statements of single requests. Statements are told apart by the request that causes them, so whatever
 * core does beside it is not counted.
 */
export class StatementCounter {
  readonly #counts = new Map<string, number>();
  readonly #core: TestCore;

  constructor(core: TestCore) {
    this.#core = core;
    const { dataSource } = core.service.app.get(Database, { strict: false });
    const create = dataSource.createQueryRunner.bind(dataSource);
    dataSource.createQueryRunner = (mode) => {
      const runner = create(mode);
      const connect = runner.connect.bind(runner);
      runner.connect = async () => counting((await connect()) as Client, () => this.#note());
      return runner;
    };
  }

  /** The answer to a call, and how many statements it took. */
  async count(method: string, path: string, call: Call = {}): Promise<{ readonly answer: Answer; readonly statements: number }> {
    const id = randomUUID();
    const answer = await this.#core.call(method, path, { ...call, headers: { ...call.headers, 'x-request-id': id } });
    const statements = this.#counts.get(id) ?? 0;
    this.#counts.delete(id);
    return { answer, statements };
  }

  #note(): void {
    const id = currentOrigin()?.requestId;
    if (id !== undefined) this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }
}

/** The same client, whose statements are noted; the pool's own object is left alone. */
function counting(client: Client, note: () => void): Client {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'query') return value.bind(target) as unknown;
      return (...parameters: readonly unknown[]) => {
        note();
        return target.query(...parameters);
      };
    },
  });
}
