import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';
import type { ImmutabilityRule } from '@haven/policy';

@Injectable()
export class ImmutabilityStore {
  constructor(private readonly database: Database) {}

  /** The rules of a project that are in force, in the order in which they were made. */
  async rulesOf(projectId: number): Promise<ImmutabilityRule[]> {
    const rows = await this.database.query<{ rule: Omit<ImmutabilityRule, 'disabled'> }>('SELECT rule FROM immutability_rule WHERE project_id = $1 AND NOT disabled ORDER BY id', [projectId]);
    return rows.map(({ rule }) => ({ ...rule, disabled: false }));
  }
}
