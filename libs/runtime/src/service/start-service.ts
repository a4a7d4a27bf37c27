import 'reflect-metadata';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DynamicModule, INestApplication, INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { listenError, listenOn } from '../http/listen-on.js';
import { createPrivateServer } from '../http/private-server.js';
import { NestLog } from '../log/nest-log.js';
import { redactedValues } from '../settings/redacted-settings.js';
import type { RuntimeSettings } from '../settings/runtime-settings.js';
import type { ListenAddress } from '../settings/setting.js';
import { createRuntimeParts, RuntimeModule, type RuntimeParts } from './runtime.module.js';

/** A public HTTP server of a Nest application. Services with a node:http server of their own leave this out and use listenOn. */
export interface HttpOptions extends ListenAddress {
  /** The setting that is named when the port is taken; HAVEN_LISTEN by default. */
  readonly setting?: string;
  /** The HTTP framework, for instance `new FastifyAdapter({ … })`. */
  readonly adapter: AbstractHttpAdapter;
}

export interface ServiceOptions {
  readonly service: string;
  readonly settings: RuntimeSettings & Readonly<Record<string, unknown>>;
  readonly module: Type | DynamicModule;
  /** Present for a service that answers HTTP through Nest controllers. */
  readonly listen?: HttpOptions;
  /** Only with `listen`: called before routes are registered and the service listens, for hooks, parsers and global filters. */
  readonly configure?: (app: INestApplication) => void | Promise<void>;
  /** Replaces logger, metrics or health, for tests. */
  readonly parts?: Partial<RuntimeParts>;
}

export interface RunningService extends RuntimeParts {
  readonly app: INestApplicationContext;
  /** Where /livez, /readyz and /metrics are. */
  readonly privateAddress: AddressInfo;
  /** Where the service itself listens, when `listen` was given. */
  readonly address: AddressInfo | undefined;
  /** Not ready, then closed; resolves when everything is shut down. Repeated calls answer the same promise. */
  stop(): Promise<void>;
}

/** Starts a service without touching the process: no signal handlers, no exit. For tests; a `main.ts` uses runService. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const started = performance.now();
  const { service, settings } = options;
  const parts = createRuntimeParts({ service, settings, ...options.parts });
  parts.logger.info('starting', { settings: redactedValues(settings) });
  const privateServer = createPrivateServer(parts.health, parts.metrics);
  const privateAddress = await listenOn(privateServer, settings.HAVEN_PRIVATE_LISTEN, 'HAVEN_PRIVATE_LISTEN');
  try {
    const opened = await openApplication(options, parts);
    parts.health.markStarted();
    parts.logger.info('started', { milliseconds: Math.round(performance.now() - started), private: printed(privateAddress), address: printed(opened.address) });
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopping ??= stopAll(opened.app, privateServer, parts));
    return { ...parts, app: opened.app, address: opened.address, privateAddress, stop };
  } catch (error) {
    await closeServer(privateServer);
    throw error;
  }
}

async function openApplication(options: ServiceOptions, parts: RuntimeParts): Promise<{ app: INestApplicationContext; address: AddressInfo | undefined }> {
  const root: DynamicModule = {
    module: class ServiceRoot {},
    imports: [RuntimeModule.forRoot({ service: options.service, settings: options.settings, ...parts }), options.module],
  };
  const logger = new NestLog(parts.logger);
  if (options.listen === undefined) return { app: await NestFactory.createApplicationContext(root, { logger, abortOnError: false }), address: undefined };

  const app = await NestFactory.create(root, options.listen.adapter, { logger, abortOnError: false, bodyParser: false });
  const { host, port, setting = 'HAVEN_LISTEN' } = options.listen;
  try {
    await options.configure?.(app);
    await app.listen(port, host);
    return { app, address: (app.getHttpServer() as Server).address() as AddressInfo };
  } catch (error) {
    await app.close();
    throw isListenFault(error) ? listenError(error, { host, port }, setting) : error;
  }
}

async function stopAll(app: INestApplicationContext, privateServer: Server, parts: RuntimeParts): Promise<void> {
  parts.health.markStopping();
  parts.logger.info('stopping');
  try {
    await app.close();
  } finally {
    await closeServer(privateServer);
    parts.logger.info('stopped');
    await parts.logger.flush();
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => { resolve(); });
    server.closeAllConnections();
  });
}

function isListenFault(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.syscall === 'listen' || (error as NodeJS.ErrnoException | undefined)?.code === 'ENOTFOUND';
}

function printed(address: AddressInfo | undefined): string | undefined {
  if (address === undefined) return undefined;
  return `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
