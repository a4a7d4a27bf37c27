import { Injectable } from '@nestjs/common';
import { sealSecret, type Caller } from '@haven/access';
import { configurationOf, Problem, SETTING_NAMES, settingOf, type Configuration, type ConfigurationsReq, type SecretSetting, type SettingName } from '@haven/api';
import { Database, lockSettings, readSettings, writeSettings, type Transaction } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import { CoreOptions } from '../platform/core-options.js';
import { ConfigurationService, secretContext } from './configuration.service.js';
import { hasOtherUsers, userNamedLike } from './configuration.store.js';
import { readOnlyProblem } from './read-only-problem.js';
import { changesOf, requirePossible, type SettingChanges } from './setting-changes.js';

const SECRETS = SETTING_NAMES.filter((name): name is SecretSetting => settingOf(name).secret);

@Injectable()
export class ConfigurationChangeService {
  constructor(
    private readonly configuration: ConfigurationService,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
    private readonly options: CoreOptions,
  ) {}

  /** Changes settings for every process of the installation: each reads them again at once. */
  async change(caller: Caller, request: ConfigurationsReq): Promise<void> {
    const changed = await this.database.transaction((transaction) => this.#change(transaction, caller, request));
    this.configuration.forget();
    if (changed) this.broadcasts.publish('settings-changed', {});
  }

  /** Whether the mode of logging in may still be changed. */
  async modeIsEditable(): Promise<boolean> {
    return !(await hasOtherUsers(this.database));
  }

  /** Judged against what the database holds now, not against what is in memory. */
  async #change(transaction: Transaction, caller: Caller, request: ConfigurationsReq): Promise<boolean> {
    await lockSettings(transaction);
    const stored = await readSettings(transaction);
    const current = configurationOf(stored);
    const changes = changesOf(request, current);
    if (changes.size === 0) return false;
    requireWritable(changes, current);
    const users = changes.has('auth_mode') && (await hasOtherUsers(transaction));
    requirePossible(changes, current, { users, externalUrl: this.options.externalUrl, secrets: secretsAfter(changes, stored) });
    await requireFreePrefix(transaction, changes);
    await writeSettings(transaction, this.#stored(changes));
    const names = [...changes.keys()].sort().join(', ');
    await recordAudit(transaction, caller, { operation: 'update', resourceType: 'configuration', resource: 'configuration', description: `update configuration: ${names}` });
    return true;
  }

  #stored(changes: SettingChanges): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...changes].map(([name, value]) => [name, settingOf(name).secret ? this.#sealed(name, String(value)) : value]));
  }

  #sealed(name: SettingName, value: string): string | undefined {
    return value === '' ? undefined : sealSecret(this.options.secretKey, value, secretContext(name as SecretSetting));
  }
}

/** The secrets that are set once the changes are made. */
function secretsAfter(changes: SettingChanges, stored: ReadonlyMap<string, unknown>): ReadonlySet<SecretSetting> {
  return new Set(SECRETS.filter((name) => (changes.has(name) ? changes.get(name) !== '' : stored.has(name))));
}

/** In read-only mode the only change is to end it; others may come with that one. */
function requireWritable(changes: SettingChanges, current: Configuration): void {
  if (current.read_only && changes.get('read_only') !== false) throw readOnlyProblem();
}

/** No user's name may look like a robot's. */
async function requireFreePrefix(transaction: Transaction, changes: SettingChanges): Promise<void> {
  const prefix = changes.get('robot_name_prefix');
  if (prefix === undefined) return;
  const taken = await userNamedLike(transaction, String(prefix));
  if (taken !== undefined) throw new Problem('BAD_REQUEST', `robot_name_prefix: the name of the user ${taken} begins with it; choose another one`);
}
