import { Injectable } from '@nestjs/common';
import type { Page, ReconciliationFinding, ReconciliationFindingQuery } from '@haven/api';
import { Database } from '@haven/database';
import { mapPage, selectPage } from '../listing/select-page.js';
import { SqlConditions } from '../listing/sql-conditions.js';

interface FindingRow {
  readonly kind: ReconciliationFinding['kind'];
  readonly name: string;
  readonly size: string | null;
  readonly details: Omit<ReconciliationFinding, 'kind' | 'name' | 'size' | 'outcome'>;
  readonly outcome: ReconciliationFinding['outcome'];
}

/** What comparisons of storage with the catalog found; the job service writes it. */
@Injectable()
export class FindingStore {
  constructor(private readonly database: Database) {}

  async list(execution: number, { kind, page, page_size: size }: ReconciliationFindingQuery): Promise<Page<ReconciliationFinding>> {
    const conditions = new SqlConditions();
    conditions.add(`execution_id = ${conditions.value(execution)} AND confirmed`);
    if (kind !== undefined) conditions.add(`kind = ${conditions.value(kind)}`);
    const rows = await selectPage<FindingRow>(this.database, { fields: 'kind, name, size, details, outcome', from: 'storage_finding', conditions, order: 'kind, name', page, size });
    return mapPage(rows, ({ size: bytes, details, ...finding }) => ({ ...finding, ...(bytes === null ? {} : { size: Number(bytes) }), ...details }));
  }
}
