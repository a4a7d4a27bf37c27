import { FakeLogger, Metrics, readSettings } from '@haven/runtime';
import { ProxyServer } from '../server/proxy-server.js';
import { proxySettings } from '../settings.js';

export interface ProxyUnderTest {
  readonly server: ProxyServer;
  readonly logger: FakeLogger;
  readonly metrics: Metrics;
  readonly port: number;
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A proxy on free ports of loopback, set as environment variables would set it. */
export async function startProxy(environment: Readonly<Record<string, string>>): Promise<ProxyUnderTest> {
  const settings = readSettings(proxySettings, {
    HAVEN_LISTEN_HOST: '127.0.0.1', HAVEN_HTTP_PORT: '0', HAVEN_SHUTDOWN_SECONDS: '3', HAVEN_REGISTRY_URLS: 'http://127.0.0.1:1', HAVEN_CORE_URLS: 'http://127.0.0.1:1', ...environment,
  });
  const logger = new FakeLogger();
  const metrics = new Metrics();
  const server = await ProxyServer.create({ settings, logger, metrics });
  await server.start();
  const port = server.httpAddress?.port ?? 0;
  let stopping: Promise<void> | undefined;
  return { server, logger, metrics, port, url: `http://127.0.0.1:${port}`, stop: () => (stopping ??= server.stop()) };
}
