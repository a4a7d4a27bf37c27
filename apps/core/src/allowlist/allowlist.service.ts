import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import type { CVEAllowlist, CVEAllowlistReq } from '@haven/api';
import { Database } from '@haven/database';
import { recordAudit } from '../audit/record-audit.js';
import { readAllowlist, WHOLE_INSTALLATION } from './allowlist.js';
import { findAllowlists, replaceAllowlist } from './allowlist.store.js';

/** The list of vulnerabilities that count nowhere in the installation. */
@Injectable()
export class AllowlistService {
  constructor(private readonly database: Database) {}

  async get(): Promise<CVEAllowlist> {
    const list = (await findAllowlists(this.database, [WHOLE_INSTALLATION])).get(WHOLE_INSTALLATION);
    if (list === undefined) throw new Error('the allowlist of the installation was not answered');
    return list;
  }

  async replace(caller: Caller, request: CVEAllowlistReq): Promise<void> {
    const list = readAllowlist(request);
    await this.database.transaction(async (transaction) => {
      await replaceAllowlist(transaction, WHOLE_INSTALLATION, list);
      const description = `update the CVE allowlist of the system: ${list.items.length} entries`;
      await recordAudit(transaction, caller, { operation: 'update', resourceType: 'cve_allowlist', resource: 'system', description });
    });
  }
}
