import type { Configuration } from '@haven/api';
import type { Database, SettingsTable } from '@haven/database';
import type { Executions } from '@haven/execution';
import type { OutboundClient } from '@haven/outbound';
import type { Logger, Metrics } from '@haven/runtime';
import type { Settings } from '../settings.js';
import { WebhookPlanner } from './webhook-planner.js';
import { WebhookSender } from './webhook-sender.js';

export interface WebhookWorkParts {
  readonly database: Database;
  readonly executions: Executions;
  readonly configuration: SettingsTable<Configuration>;
  readonly outbound: OutboundClient;
  /** What secrets at rest are sealed under. */
  readonly secretKey: Buffer | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What this process does for webhooks. */
export class WebhookWork {
  readonly planner: WebhookPlanner;
  readonly sender: WebhookSender;

  constructor(settings: Pick<Settings, 'HAVEN_EXTERNAL_URL'>, { database, executions, configuration, logger, ...parts }: WebhookWorkParts) {
    const host = settings.HAVEN_EXTERNAL_URL === undefined ? '' : new URL(settings.HAVEN_EXTERNAL_URL).host;
    this.planner = new WebhookPlanner({ database, executions, settings: configuration, host, logger });
    this.sender = new WebhookSender({ database, executions, ...parts });
  }
}
