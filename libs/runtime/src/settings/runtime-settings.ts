import { z } from 'zod';
import { listenAddress, url, wholeNumber } from './setting.js';

/**
 * The settings that every service has; spread the answer into the service's own `z.object({ … })`.
 *
 * @param privatePort where /livez, /readyz and /metrics are served on loopback unless HAVEN_PRIVATE_LISTEN says otherwise.
 */
export function runtimeSettings(privatePort: number) {
  return {
    HAVEN_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).describe('debug, info, warn or error').default('info'),
    HAVEN_PRIVATE_LISTEN: listenAddress().default({ host: '127.0.0.1', port: privatePort }),
    HAVEN_REDIS_URL: url('redis', 'rediss').default('redis://127.0.0.1:6379'),
    HAVEN_SHUTDOWN_SECONDS: wholeNumber(1, 3600).default(30),
  };
}

/** What runtimeSettings yields once read. */
export type RuntimeSettings = z.infer<z.ZodObject<ReturnType<typeof runtimeSettings>>>;
