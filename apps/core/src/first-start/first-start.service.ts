import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { Logger } from '@haven/runtime';
import { hashPassword } from '../identity/password-hash.js';
import { requireGoodPassword } from '../identity/password-rules.js';
import { CoreOptions } from '../platform/core-options.js';
import { FirstStartStore } from './first-start.store.js';
import { generatePassword, writeSecretFile } from './password-file.js';

/** Gives a new installation its administrator and its public project `library`; does nothing on every later start. */
@Injectable()
export class FirstStartService {
  constructor(
    private readonly store: FirstStartStore,
    private readonly options: CoreOptions,
    private readonly logger: Logger,
  ) {}

  /** Rejects, with what to set, when there is no administrator and no way to tell anybody the password. */
  async run(): Promise<void> {
    if (await this.store.hasAccounts()) return;
    const { adminPassword: chosen, adminPasswordOut: out } = this.options;
    if (chosen === undefined && out === undefined) {
      throw new Error('there is no administrator yet: set HAVEN_ADMIN_PASSWORD, or HAVEN_ADMIN_PASSWORD_OUT to a file that a generated password is written to');
    }
    if (chosen !== undefined) requireGoodSetting(chosen);
    const password = chosen ?? generatePassword();
    const made = await this.store.createAdmin(await hashPassword(password), async () => {
      if (chosen === undefined && out !== undefined) await keep(out, password);
    });
    if (made) this.logger.info('the account admin and the project library were made', chosen === undefined ? { written_to: out } : {});
  }
}

async function keep(path: string, password: string): Promise<void> {
  try {
    await writeSecretFile(path, password);
  } catch (cause) {
    throw new Error(`the administrator's password cannot be written to ${path}; set HAVEN_ADMIN_PASSWORD_OUT to a file in a folder that this service may write to`, { cause });
  }
}

function requireGoodSetting(password: string): void {
  try {
    requireGoodPassword(password);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Error(`HAVEN_ADMIN_PASSWORD is too weak: ${error.message}`, { cause: error });
  }
}
