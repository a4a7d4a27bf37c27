import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';
import { recordAudit } from '../audit/record-audit.js';
import type { FailureCounts } from './login-delay.js';

/** Puts failed logins into the audit trail. The address is that of the request; a password is never part of it. */
@Injectable()
export class FailedLoginStore {
  constructor(private readonly database: Database) {}

  async record(username: string, { account, address }: FailureCounts): Promise<void> {
    const description = `log in with a wrong name or password; in the last 15 minutes ${account} for this name, ${address} from this address`;
    await this.database.transaction((transaction) => recordAudit(
      transaction,
      { subject: { kind: 'anonymous' } },
      { operation: 'login', resourceType: 'user', resource: username, description, result: false },
    ));
  }
}
