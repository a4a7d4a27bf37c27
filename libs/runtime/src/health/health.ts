import { maskCredentials } from '../log/redaction.js';

export interface HealthCheckOptions {
  /** A failing critical check makes the service not ready; any other only degrades it. True by default. */
  readonly critical?: boolean;
  /** A check that takes longer has failed, in milliseconds; 2000 by default. */
  readonly timeoutMs?: number;
}

export interface CheckResult {
  readonly status: 'ok' | 'failed';
  readonly critical: boolean;
  readonly milliseconds: number;
  readonly message?: string;
}

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'unavailable' | 'starting' | 'stopping';
  readonly checks: Readonly<Record<string, CheckResult>>;
}

type Phase = 'starting' | 'running' | 'stopping';

interface Check {
  readonly run: () => Promise<void>;
  readonly critical: boolean;
  readonly timeoutMs: number;
}

/** Whether this process can do its work, and what it depends on. Answers are kept for two seconds, so probes cost little. */
export class Health {
  readonly #checks = new Map<string, Check>();
  readonly #cacheMs: number;
  #phase: Phase = 'starting';
  #cached: { at: number; results: Promise<Record<string, CheckResult>> } | undefined;

  constructor({ cacheMs = 2000 }: { readonly cacheMs?: number } = {}) {
    this.#cacheMs = cacheMs;
  }

  /** Adds a dependency. The check resolves when it works and rejects, with a reason worth reading, when not. */
  add(name: string, check: () => Promise<void>, { critical = true, timeoutMs = 2000 }: HealthCheckOptions = {}): void {
    if (this.#checks.has(name)) throw new Error(`there already is a health check called ${name}`);
    this.#checks.set(name, { run: check, critical, timeoutMs });
    this.#cached = undefined;
  }

  /** From now on the checks decide. Called by runService. */
  markStarted(): void { this.#phase = 'running'; }

  /** From now on the service is not ready, so that no new work comes. Called by runService. */
  markStopping(): void { this.#phase = 'stopping'; }

  async report(): Promise<HealthReport> {
    const checks = await this.#results();
    return { status: this.#status(Object.values(checks)), checks };
  }

  async ready(): Promise<boolean> {
    const { status } = await this.report();
    return status === 'ok' || status === 'degraded';
  }

  #status(results: readonly CheckResult[]): HealthReport['status'] {
    if (this.#phase !== 'running') return this.#phase;
    const failed = results.filter((result) => result.status === 'failed');
    if (failed.some((result) => result.critical)) return 'unavailable';
    return failed.length > 0 ? 'degraded' : 'ok';
  }

  #results(): Promise<Record<string, CheckResult>> {
    const now = performance.now();
    if (this.#cached === undefined || now - this.#cached.at >= this.#cacheMs) this.#cached = { at: now, results: this.#runAll() };
    return this.#cached.results;
  }

  async #runAll(): Promise<Record<string, CheckResult>> {
    const entries = [...this.#checks].map(async ([name, check]) => [name, await outcome(check)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }
}

async function outcome({ run, critical, timeoutMs }: Check): Promise<CheckResult> {
  const start = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([Promise.resolve().then(run), expired]);
    return { status: 'ok', critical, milliseconds: Math.round(performance.now() - start) };
  } catch (error) {
    const message = maskCredentials(error instanceof Error ? error.message : String(error)).slice(0, 500);
    return { status: 'failed', critical, milliseconds: Math.round(performance.now() - start), message };
  } finally {
    clearTimeout(timer);
  }
}
