import type { Configuration } from '@haven/api';
import type { Database, SettingsTable } from '@haven/database';
import type { Executions } from '@haven/execution';
import { GuardedClient } from '@haven/outbound';
import type { Settings } from '../settings.js';
import { WebhookPlanner } from './webhook-planner.js';
import { WebhookSender } from './webhook-sender.js';

/** What this process does for webhooks. */
export class WebhookWork {
  readonly planner: WebhookPlanner;
  readonly sender: WebhookSender;

  constructor(settings: Settings, { database, executions, configuration }: { readonly database: Database; readonly executions: Executions; readonly configuration: SettingsTable<Configuration> }) {
    const host = settings.HAVEN_EXTERNAL_URL === undefined ? '' : new URL(settings.HAVEN_EXTERNAL_URL).host;
    const outbound = new GuardedClient({ rules: settings.HAVEN_OUTBOUND_ALLOW, userAgent: 'Haven' });
    this.planner = new WebhookPlanner({ database, executions, settings: configuration, host });
    this.sender = new WebhookSender({
      database, executions, outbound, secretKey: settings.HAVEN_SECRET_KEY === undefined ? undefined : Buffer.from(settings.HAVEN_SECRET_KEY, 'hex'),
    });
  }
}
