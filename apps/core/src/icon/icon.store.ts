import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';
import type { Digest } from '@haven/oci';
import { restrictToVisible, type VisibleProjects } from '../authorization/role-sql.js';
import { SqlConditions } from '../listing/sql-conditions.js';

@Injectable()
export class IconStore {
  constructor(private readonly database: Database) {}

  /** Whether an artifact in one of these projects, or in a public one, has this layer as its icon. */
  async isUsedIn(digest: Digest, visible: VisibleProjects): Promise<boolean> {
    const conditions = new SqlConditions();
    conditions.add(`m.icon = ${conditions.value(digest)} AND m.deleted_at IS NULL AND r.deleted_at IS NULL AND p.deleted_at IS NULL`);
    restrictToVisible(conditions, visible);
    const rows = await this.database.query(
      `SELECT 1 FROM manifest m JOIN repository r ON r.id = m.repository_id JOIN project p ON p.id = r.project_id WHERE ${conditions.toSql()} LIMIT 1`,
      conditions.parameters,
    );
    return rows.length > 0;
  }
}
